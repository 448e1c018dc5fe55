import { expectData } from "../../admin/client.ts";
import { ROLES } from "../../core/access/role.ts";
import { defineCommand } from "../command.ts";
import { formatTime } from "../format-cells.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";

const create = defineCommand({
  summary: "make a token for the admin API",
  details: "Shown this once. Over --url it may do no more than whoever makes it.",
  examples: ["keyward admin-tokens create --name ci --role developer --environment staging"],
  reach: "admin",
  printsData: true,
  options: {
    name: { value: "name", description: "for people", isRequired: true },
    role: { value: "role", description: "what it may do", choices: ROLES, isRequired: true },
    environment: {
      value: "name",
      description: "binds it to this environment; may be repeated",
      param: "environments",
      isRepeatable: true,
    },
  },
  async run({ admin, options, output }) {
    const client = await admin();
    const { name, role, environment } = options;
    const environments = environment.length > 0 ? [...environment] : null;
    const body = { name, role: role as (typeof ROLES)[number], environments };
    const made = expectData(await client.POST("/admin-tokens", { body }));
    await output.data(made, () => {
      output.line(made.token);
      output.note(`${made.id}; it is not shown again`);
    });
  },
});

const list = defineCommand({
  summary: "list admin tokens, newest first",
  examples: ["keyward admin-tokens list"],
  reach: "admin",
  printsData: true,
  options: PAGE_OPTIONS,
  run: (context) =>
    printPage(context, {
      what: "admin tokens",
      fetch: (client, query) => client.GET("/admin-tokens", { params: { query } }),
      columns: [
        { title: "name", value: (token) => token.name },
        { title: "role", value: (token) => token.role ?? "-" },
        { title: "token", value: (token) => token.preview ?? "-" },
        { title: "state", value: (token) => (token.revokedAt === null ? "active" : "revoked") },
        { title: "created", value: (token) => formatTime(token.createdAt) },
        { title: "id", value: (token) => token.id },
      ],
    }),
});

const revoke = defineCommand({
  summary: "revoke an admin token",
  examples: ["keyward admin-tokens revoke adm_01JZ6Y4V2S8W3N5R7T9X0B1C2D"],
  reach: "admin",
  printsData: true,
  arguments: { id: { description: "the token's id" } },
  options: {},
  async run({ admin, arguments: { id }, output }) {
    const client = await admin();
    const token = expectData(
      await client.POST("/admin-tokens/{id}/revoke", { params: { path: { id } } }),
    );
    await output.data(token, () => output.line(`revoked ${token.name}`));
  },
});

export const adminTokens = { create, list, revoke };
