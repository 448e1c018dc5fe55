import type { components } from "../../admin/api-types.ts";
import { expectData } from "../../admin/client.ts";
import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { formatCount, formatOptional, formatTime } from "../format-cells.ts";
import { formatHealth } from "../format-health.ts";
import { given } from "../given.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";
import { parseCount } from "../parse-count.ts";
import { agree } from "../prompts.ts";
import { readSecret, SECRET_OPTIONS } from "../read-secret.ts";
import { auditProviderKeys } from "./provider-key-audit.ts";
import { formatOwner, listProviderKeyUsers, showProviderKey } from "./provider-key-facts.ts";
import { rotateProviderKey } from "./provider-key-rotate.ts";

type ProviderKey = components["schemas"]["ProviderKey"];

const WEIGHT_OPTION = {
  value: "number",
  description: "its share beside the environment's other keys; 0: only as a spare",
} as const;

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
      columns: (keys) => [
        { title: "name", value: (key) => key.name },
        { title: "environment", value: (key) => formatOptional(key.environment) },
        { title: "account", value: (key) => formatOptional(key.account) },
        { title: "secret", value: (key) => key.preview },
        { title: "weight", value: (key) => formatCount(key.weight), isNumber: true },
        { title: "owner", value: (key) => formatOwner(key) },
        { title: "status", value: (key) => key.status },
        ...(keys.some(({ health }) => health !== null)
          ? [{ title: "health", value: (key: ProviderKey) => formatHealth(key.health) }]
          : []),
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
    weight: { ...WEIGHT_OPTION, default: "1" },
    ...SECRET_OPTIONS,
  },
  async run({ admin, io, options, output }) {
    const { account, environment, name } = options;
    const weight = parseCount(options.weight, "--weight");
    const secret = await readSecret(io, options, `Secret of ${account} for ${environment}: `);
    const body = { accountId: account, environment, name, secret, weight };
    const client = await admin();
    const key = expectData(await client.POST("/provider-keys", { body }));
    await output.data(key, () => {
      output.line(
        `added ${key.name}, ${key.preview}, to ${key.environment ?? environment} (${key.id})`,
      );
      for (const warning of key.warnings) output.warn(warning);
    });
  },
});

const update = defineCommand({
  summary: "change a provider key's weight, or how often it is rotated",
  details:
    "Of an environment's keys that may take a call, each is chosen in proportion to its weight. A key of weight 0 is a spare: it is used only where no other is left.",
  examples: [
    "keyward provider-keys update pky_01JZ6Y4V2S8W3N5R7T9X0B1C2D --weight 3",
    "keyward provider-keys update pky_01JZ6Y4V2S8W3N5R7T9X0B1C2D --weight 0 --json",
    "keyward provider-keys update pky_01JZ6Y4V2S8W3N5R7T9X0B1C2D --rotate-every-days 90",
    "keyward provider-keys update pky_01JZ6Y4V2S8W3N5R7T9X0B1C2D --rotate-every-days never",
  ],
  reach: "admin",
  printsData: true,
  arguments: { id: { description: "the provider key's id" } },
  options: {
    weight: WEIGHT_OPTION,
    rotateEveryDays: {
      value: "days",
      description:
        "how often it gets another secret, by itself where the account has an admin key; never: not any more",
    },
  },
  async run({ admin, arguments: { id }, options, output }) {
    const { weight, rotateEveryDays: days } = options;
    if (weight === undefined && days === undefined) {
      throw new CliError("nothing to change", {
        isUsage: true,
        advice: "give --weight or --rotate-every-days",
      });
    }
    const body = {
      ...(weight === undefined ? {} : { weight: parseCount(weight, "--weight") }),
      ...(days === undefined
        ? {}
        : { rotateEveryDays: days === "never" ? null : parseCount(days, "--rotate-every-days") }),
    };
    const client = await admin();
    const params = { path: { id } };
    const key = expectData(await client.PATCH("/provider-keys/{id}", { params, body }));
    await output.data(key, async () => {
      const what = `${key.name} of ${key.environment ?? id}`;
      if (weight !== undefined) output.line(`${what} now has weight ${key.weight}`);
      if (days === undefined) return;
      if (key.rotationDueAt === null) return output.line(`${what} is rotated by itself no more`);
      const due = formatTime(key.rotationDueAt);
      const account = { params: { path: { id: key.accountId } } };
      const { response } = await client.GET("/provider-accounts/{id}/admin-key", account);
      if (response.status !== 404) return output.line(`${what} is rotated by itself: ${due}`);
      output.line(`${what} is to be rotated by ${due}, and needs a new secret of you then`);
      output.note(
        `its account has no admin key to ask the provider with: keyward provider-accounts set-admin-key ${key.accountId}`,
      );
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
    const what = `${key.name} (${key.preview}) of ${key.environment ?? key.environmentId}`;
    await agree({ io, isAgreed: options.yes }, `Stop using ${what}?`);
    const revoked = expectData(await client.POST("/provider-keys/{id}/revoke", { params }));
    await output.data(revoked, () => {
      output.line(`revoked ${what} (${id})`);
      output.note("next: revoke it at the provider as well, where it is still valid");
    });
  },
});

export const providerKeys = {
  list,
  show: showProviderKey,
  add,
  update,
  rotate: rotateProviderKey,
  users: listProviderKeyUsers,
  audit: auditProviderKeys,
  revoke,
};
