import { expectData } from "../../admin/client.ts";
import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { formatOptional, formatOptionalTime, formatTime } from "../format-cells.ts";
import { given } from "../given.ts";
import { AMOUNT_OPTIONS, amountsOf } from "../limit-options.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";
import { parseWhen } from "../parse-when.ts";
import { confirm } from "../prompts.ts";

const list = defineCommand({
  summary: "list gateway keys, newest first",
  examples: ["keyward keys list", "keyward keys list --environment production --customer acme"],
  reach: "admin",
  printsData: true,
  options: {
    environment: { value: "name", description: "only those of this environment" },
    project: { value: "name", description: "only those of this project" },
    customer: { value: "id", description: "only those bound to this customer" },
    ...PAGE_OPTIONS,
  },
  run: (context) =>
    printPage(context, {
      what: "gateway keys",
      fetch(client, page) {
        const { environment, project, customer } = context.options;
        const query = {
          ...page,
          ...given({ environment, project, customer }),
        };
        return client.GET("/keys", { params: { query } });
      },
      columns: [
        { title: "name", value: (key) => key.name },
        { title: "key", value: (key) => key.preview },
        { title: "environment", value: (key) => formatOptional(key.environment) },
        { title: "project", value: (key) => formatOptional(key.project) },
        { title: "customer", value: (key) => formatOptional(key.customer) },
        { title: "status", value: (key) => key.status },
        { title: "expires", value: (key) => formatOptionalTime(key.expiresAt) },
        { title: "created", value: (key) => formatTime(key.createdAt) },
        { title: "id", value: (key) => key.id },
      ],
    }),
});

const create = defineCommand({
  summary: "issue a gateway key",
  details:
    "The key is shown this once: Keyward keeps its hash only. It stands alone on standard output; everything else goes to error output.",
  examples: [
    "keyward keys create --environment development --name my-laptop",
    "keyward keys create --environment production --name support-bot --customer acme --expires 90d --model gpt-4o-mini",
    "keyward keys create --environment staging --name load-test --requests 600 --concurrency 20",
  ],
  reach: "admin",
  printsData: true,
  options: {
    environment: { value: "name", description: "the environment", isRequired: true },
    name: { value: "name", description: "for people", isRequired: true },
    project: { value: "name", description: "the project, else `default`" },
    customer: { value: "id", description: "binds the key to this customer" },
    expires: { value: "when", description: "a time, or from now: 90d, 12h", param: "expiresAt" },
    model: {
      value: "model",
      description: "a model that it may call, else all; may be repeated",
      isRepeatable: true,
      param: "allowedModels",
    },
    ...AMOUNT_OPTIONS,
  },
  async run({ admin, io, options, output }) {
    const { environment, name, project, customer, expires, model } = options;
    const amounts = amountsOf(options);
    const body = {
      environment,
      name,
      ...given({ project, customer }),
      ...(expires === undefined ? {} : { expiresAt: expiry(expires, io.nowMs()) }),
      ...(model.length === 0 ? {} : { allowedModels: [...model] }),
      ...(Object.keys(amounts).length === 0 ? {} : { limits: amounts }),
    };
    const client = await admin();
    const key = expectData(await client.POST("/keys", { body }));
    await output.data(key, () => {
      output.line(key.key);
      output.note(`${key.id}, for ${key.environment ?? environment}; it is not shown again`);
    });
  },
});

function expiry(text: string, nowMs: number): string {
  return parseWhen(text, { nowMs, flag: "--expires", direction: "ahead" });
}

const revoke = defineCommand({
  summary: "revoke a gateway key, for good",
  examples: [
    "keyward keys revoke key_01JZ6Y4V2S8W3N5R7T9X0B1C2D",
    "keyward keys revoke key_01JZ6Y4V2S8W3N5R7T9X0B1C2D --yes --json",
  ],
  reach: "admin",
  printsData: true,
  arguments: { id: { description: "the gateway key's id" } },
  options: { yes: { description: "do not ask" } },
  async run({ admin, arguments: { id }, io, options, output }) {
    const client = await admin();
    const params = { path: { id } };
    const key = expectData(await client.GET("/keys/{id}", { params }));
    const what = `${key.name} (${key.preview})`;
    if (!options.yes && !(await confirm(io, `Revoke ${what}?`, "add --yes"))) {
      throw new CliError("not confirmed; nothing was changed");
    }
    const revoked = expectData(await client.POST("/keys/{id}/revoke", { params }));
    await output.data(revoked, () => output.line(`revoked ${what}`));
  },
});

export const keys = { list, create, revoke };
