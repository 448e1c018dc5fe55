import { type AccessRule, ACCESS_RULES } from "../../src/admin/access-rules.ts";
import { createAdminApp } from "../../src/admin/admin-app.ts";
import { type AccessTarget, decideAccess } from "../../src/core/access/decide-access.ts";
import { principalOf } from "../../src/core/access/principal.ts";
import { type Role, ROLES } from "../../src/core/access/role.ts";
import type { EnvironmentId } from "../../src/core/ids/ids.ts";
import { unusedDeps } from "../unused-admin-deps.ts";
import { formatTable, GENERATED, type Page } from "./page.ts";

const INTRODUCTION = `# Who may do what

Every route of the admin API with the permission that it needs, and the roles that have it. What a role may do
*outside production* it may do in every environment that is not of the kind \`production\`, and in production only
when the member was given that environment (see [members](guide/members.md)).

*About* says which environment a request is about. A token that is bound to some environments may do in those what its
role may, may do what is about nothing of an environment (*shared*), and has no part in what belongs to all of them
together (*organization*). With \`members:write\` nobody is let in, or given a role, who may do more than whoever does it.`;

interface Operation {
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
}

/** The operations of the admin API, in the order of its document. */
export function listOperations(): readonly Operation[] {
  const { paths = {} } = createAdminApp(unusedDeps()).document();
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item as Readonly<Record<string, { readonly operationId: string }>>).map(
      ([method, { operationId }]) => ({ operationId, method: method.toUpperCase(), path }),
    ),
  );
}

export function permissionsPage(): Page {
  const rows = listOperations().map(({ operationId, method, path }) => {
    const rule = ACCESS_RULES[operationId];
    const cells = ROLES.map((role) => describeAccess(role, rule));
    const isBound = typeof rule === "object";
    return [
      `\`${operationId}\``,
      `\`${method} ${path}\``,
      isBound ? `\`${rule.permission}\`` : (rule ?? "none"),
      isBound ? rule.about : "",
      ...cells,
    ];
  });
  const table = formatTable(["operation", "request", "permission", "about", ...ROLES], rows);
  const text = `${GENERATED}\n\n${INTRODUCTION}\n\n${table}\n`;
  return { path: "docs/permissions.md", text };
}

function describeAccess(role: Role, rule: AccessRule | undefined): string {
  if (rule === undefined) return "no";
  if (typeof rule === "string") return "yes";
  const { permission, about } = rule;
  const principal = principalOf(role, { kind: "member", id: "", name: "" });
  const isAllowed = (target: AccessTarget) =>
    decideAccess(principal, permission, target) === "allowed";
  if (about === "shared" || about === "organization") return isAllowed(about) ? "yes" : "no";
  if (isAllowed("all")) return "yes";
  const id = "" as EnvironmentId;
  return isAllowed({ id, kind: "development" }) ? "outside production" : "no";
}
