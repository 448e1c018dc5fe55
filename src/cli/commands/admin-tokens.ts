import { expectData } from "../../admin/client.ts";
import { type Permission, PERMISSIONS } from "../../core/access/permission.ts";
import { type Role, ROLES } from "../../core/access/role.ts";
import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { formatOptionalTime, formatTime } from "../format-cells.ts";
import { parseExpiry } from "../key-options.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";
import { parseChoice } from "../parse-choice.ts";

const create = defineCommand({
  summary: "make a token for the admin API",
  details:
    "With a role, or with single permissions for a program that does one thing; docs/permissions.md says which command and route takes which. Shown this once. Over --url it may do no more than whoever makes it.",
  examples: [
    "keyward admin-tokens create --name ci --role developer --environment staging --expires 90d",
    "keyward admin-tokens create --name pages --permission client-tokens:write --environment production",
  ],
  reach: "admin",
  printsData: true,
  options: {
    name: { value: "name", description: "for people", isRequired: true },
    role: { value: "role", description: "what it may do", choices: ROLES },
    permission: {
      value: "permission",
      description: "in place of a role, a thing that it may do; may be repeated",
      choices: PERMISSIONS,
      param: "permissions",
      isRepeatable: true,
    },
    environment: {
      value: "name",
      description: "binds it to this environment; may be repeated",
      param: "environments",
      isRepeatable: true,
    },
    expires: { value: "when", description: "a time, or from now: 90d, 12h", param: "expiresAt" },
  },
  async run({ admin, io, options, output }) {
    const { name, role, permission, environment, expires } = options;
    if ((role === undefined) === (permission.length === 0)) {
      throw new CliError("give either --role or --permission", { isUsage: true });
    }
    const client = await admin();
    const body = {
      name,
      environments: environment.length > 0 ? [...environment] : null,
      ...(role === undefined
        ? { permissions: permission.map((one) => parseChoice(one, isPermission, "--permission")) }
        : { role: parseChoice(role, isRole, "--role") }),
      ...(expires === undefined ? {} : { expiresAt: parseExpiry(expires, io.nowMs()) }),
    };
    const made = expectData(await client.POST("/admin-tokens", { body }));
    await output.data(made, () => {
      output.line(made.token);
      output.note(`${made.id}; it is not shown again`);
    });
  },
});

function isRole(word: string): word is Role {
  return (ROLES as readonly string[]).includes(word);
}

function isPermission(word: string): word is Permission {
  return (PERMISSIONS as readonly string[]).includes(word);
}

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
        { title: "may do", value: (token) => token.role ?? (token.permissions ?? []).join(" ") },
        { title: "token", value: (token) => token.preview ?? "-" },
        { title: "state", value: (token) => (token.revokedAt === null ? "active" : "revoked") },
        { title: "expires", value: (token) => formatOptionalTime(token.expiresAt) },
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
