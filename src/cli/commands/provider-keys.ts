import { expectData } from "../../admin/client.ts";
import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { formatOptional, formatTime } from "../format-cells.ts";
import { given } from "../given.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";
import { confirm } from "../prompts.ts";
import { readSecret, SECRET_OPTIONS } from "../read-secret.ts";

const list = defineCommand({
  summary: "list provider keys, newest first",
  examples: ["keyward provider-keys list", "keyward provider-keys list --environment production"],
  reach: "admin",
  printsData: true,
  options: {
    environment: { value: "name", description: "only those of this environment" },
    account: {
      value: "name",
      description: "only those of this provider account",
      param: "accountId",
    },
    ...PAGE_OPTIONS,
  },
  run: (context) =>
    printPage(context, {
      what: "provider keys",
      fetch(client, page) {
        const { environment, account } = context.options;
        const query = {
          ...page,
          ...given({ environment, accountId: account }),
        };
        return client.GET("/provider-keys", { params: { query } });
      },
      columns: [
        { title: "name", value: (key) => key.name },
        { title: "environment", value: (key) => formatOptional(key.environment) },
        { title: "account", value: (key) => formatOptional(key.account) },
        { title: "secret", value: (key) => key.preview },
        { title: "status", value: (key) => key.status },
        { title: "created", value: (key) => formatTime(key.createdAt) },
        { title: "id", value: (key) => key.id },
      ],
    }),
});

const add = defineCommand({
  summary: "put a provider's secret into the vault, for one environment",
  details:
    "The secret is asked for without showing it, or read from standard input or an environment variable; never from the command line, which every user of the machine can read. The same secret is refused in a second environment.",
  examples: [
    "keyward provider-keys add --account openai-main --environment production --name main",
    "keyward provider-keys add --account openai-main --environment staging --name main --secret-stdin < key.txt",
    "keyward provider-keys add --account openai-main --environment staging --name main --secret-env OPENAI_API_KEY",
  ],
  reach: "admin",
  printsData: true,
  options: {
    account: {
      value: "name",
      description: "the provider account",
      isRequired: true,
      param: "accountId",
    },
    environment: { value: "name", description: "the environment", isRequired: true },
    name: { value: "name", description: "for people", default: "main" },
    ...SECRET_OPTIONS,
  },
  async run({ admin, io, options, output }) {
    const { account, environment, name } = options;
    const secret = await readSecret(io, options, `Secret of ${account} for ${environment}: `);
    const body = { accountId: account, environment, name, secret };
    const client = await admin();
    const key = expectData(await client.POST("/provider-keys", { body }));
    await output.data(key, () => {
      output.line(`added ${key.preview} to ${key.environment ?? environment} (${key.id})`);
    });
  },
});

const revoke = defineCommand({
  summary: "stop using a provider key",
  details:
    "Keyward stops calling with it at once. At the provider it stays valid until it is revoked there.",
  examples: [
    "keyward provider-keys revoke pky_01JZ6Y4V2S8W3N5R7T9X0B1C2D",
    "keyward provider-keys revoke pky_01JZ6Y4V2S8W3N5R7T9X0B1C2D --yes --json",
  ],
  reach: "admin",
  printsData: true,
  arguments: { id: { description: "the provider key's id" } },
  options: { yes: { description: "do not ask" } },
  async run({ admin, arguments: { id }, io, options, output }) {
    const client = await admin();
    const params = { path: { id } };
    const key = expectData(await client.GET("/provider-keys/{id}", { params }));
    const what = `${key.preview} of ${key.environment ?? key.environmentId}`;
    if (!options.yes && !(await confirm(io, `Stop using ${what}?`, "add --yes"))) {
      throw new CliError("not confirmed; nothing was changed");
    }
    const revoked = expectData(await client.POST("/provider-keys/{id}/revoke", { params }));
    await output.data(revoked, () => {
      output.line(`revoked ${what} (${id})`);
      output.note("next: revoke it at the provider as well, where it is still valid");
    });
  },
});

export const providerKeys = { list, add, revoke };
