import { expectData } from "../../admin/client.ts";
import { defineCommand } from "../command.ts";
import { formatOptional, formatOptionalTime, formatTime } from "../format-cells.ts";
import { given } from "../given.ts";
import { parseExpiry, PERMISSION_OPTIONS, permissionsOf } from "../key-options.ts";
import { AMOUNT_OPTIONS, amountsOf } from "../limit-options.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";
import { printKey } from "../print-key.ts";
import { rotate, update } from "./key-changes.ts";
import { revoke } from "./key-revocation.ts";
import { unused } from "./unused-keys.ts";

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
        { title: "last used", value: (key) => formatOptionalTime(key.lastUsedAt) },
        { title: "created", value: (key) => formatTime(key.createdAt) },
        { title: "id", value: (key) => key.id },
      ],
    }),
});

const show = defineCommand({
  summary: "show a gateway key: what it may do, its secrets, when it was last used",
  examples: [
    "keyward keys show key_01JZ6Y4V2S8W3N5R7T9X0B1C2D",
    "keyward keys show key_01JZ6Y4V2S8W3N5R7T9X0B1C2D --json",
  ],
  reach: "admin",
  printsData: true,
  arguments: { id: { description: "the gateway key's id" } },
  async run({ admin, arguments: { id }, output }) {
    const client = await admin();
    const key = expectData(await client.GET("/keys/{id}", { params: { path: { id } } }));
    await output.data(key, () => {
      printKey(key, output);
      if (key.leakedAt === null) return;
      const remedy = `keyward keys revoke ${id}, or keyward keys rotate ${id} --overlap 0`;
      const reported = formatTime(key.leakedAt);
      output.warn(`it was reported as leaked ${reported} and is still accepted: ${remedy}`);
    });
  },
});

const create = defineCommand({
  summary: "issue a gateway key",
  details:
    "The key is shown this once: Keyward keeps its hash only. It stands alone on standard output; everything else goes to error output.",
  examples: [
    "keyward keys create --environment development --name my-laptop",
    "keyward keys create --environment production --name support-bot --customer acme --expires 90d --model gpt-4o-mini",
    "keyward keys create --environment staging --name load-test --requests 600 --concurrency 20",
    "keyward keys create --environment production --name search --endpoint embeddings --ip 10.1.0.0/16",
  ],
  reach: "admin",
  printsData: true,
  options: {
    environment: { value: "name", description: "the environment", isRequired: true },
    name: { value: "name", description: "for people", isRequired: true },
    project: { value: "name", description: "the project, else `default`" },
    customer: { value: "id", description: "binds the key to this customer" },
    expires: { value: "when", description: "a time, or from now: 90d, 12h", param: "expiresAt" },
    ...PERMISSION_OPTIONS,
    forBrowsers: {
      description: "browsers may send it, where whoever looks can read it",
      param: "isForBrowsers",
    },
    ...AMOUNT_OPTIONS,
  },
  async run({ admin, io, options, output }) {
    const { environment, name, project, customer, expires } = options;
    const amounts = amountsOf(options);
    const body = {
      environment,
      name,
      ...given({ project, customer }),
      ...(expires === undefined ? {} : { expiresAt: parseExpiry(expires, io.nowMs()) }),
      ...permissionsOf(options),
      ...(options.forBrowsers ? { isForBrowsers: true } : {}),
      ...(Object.keys(amounts).length === 0 ? {} : { limits: amounts }),
    };
    const client = await admin();
    const key = expectData(await client.POST("/keys", { body }));
    await output.data(key, () => {
      output.line(key.key);
      output.note(`${key.id}, for ${key.environment ?? environment}; it is not shown again`);
      for (const warning of key.warnings) output.warn(warning);
    });
  },
});

export const keys = {
  list,
  create,
  show,
  update,
  rotate,
  revoke,
  unused,
};
