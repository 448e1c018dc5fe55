import { createRoute, z } from "@hono/zod-openapi";
import { decideAccess, hasPermission } from "../../core/access/decide-access.ts";
import { type Permission, PERMISSIONS } from "../../core/access/permission.ts";
import { isOwner, type Principal, tokenOf } from "../../core/access/principal.ts";
import { PERMISSIONS_OF_ROLE, type Role } from "../../core/access/role.ts";
import { isId } from "../../core/ids/ids.ts";
import {
  createAdminToken,
  hashAdminToken,
  previewAdminToken,
} from "../../core/keys/admin-token.ts";
import type { AdminTokenRecord } from "../../store/access-records.ts";
import { endAdminToken } from "../../store/end-admin-token.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import type { Problem } from "../answers/error-body.ts";
import { emptyBody, jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse, refuseProblems } from "../answers/refusal.ts";
import { closedObject, closedQuery } from "../fields/closed-object.ts";
import {
  formatInstant,
  formatOptionalInstant,
  instantAnswer,
  instantField,
} from "../fields/instants.ts";
import { environmentsField, roleField } from "../fields/login-fields.ts";
import { idParam, nameField } from "../fields/names.ts";
import { listAnswer, listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import { findEnvironmentIds } from "../member-environments.ts";

type TokenDeps = Pick<AdminDeps, "store" | "ids" | "clock" | "randomBytes">;

const tokenFields = {
  id: z.string().openapi({ example: "adm_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
  name: z.string(),
  preview: z.string().nullable().openapi({ description: "Its prefix and last four characters." }),
  role: roleField.nullable(),
  permissions: z.array(z.enum(PERMISSIONS)).nullable(),
  environmentIds: z.array(z.string()).nullable().openapi({ description: "Null: it is not bound." }),
  memberId: z.string().nullable().openapi({
    description:
      "Whose it is: it may do nothing that the member may not, and ends with the member.",
  }),
  createdBy: z.string().nullable(),
  createdAt: instantAnswer("When it was made."),
  expiresAt: instantAnswer("Null: it does not expire.").nullable(),
  lastUsedAt: instantAnswer("To the minute; null: never.").nullable(),
  revokedAt: instantAnswer("Null while it is not.").nullable(),
};
const tokenSchema = z.object(tokenFields).openapi("AdminToken");
const madeTokenSchema = z
  .object({
    ...tokenFields,
    token: z.string().openapi({ description: "In clear, this once." }),
  })
  .openapi("MadeAdminToken");

const create = createRoute({
  method: "post",
  path: "/admin-tokens",
  operationId: "createAdminToken",
  tags: ["admin tokens"],
  summary: "Make a token for the admin API, which may do no more than whoever makes it",
  request: {
    query: closedQuery({}),
    body: jsonBody(
      closedObject({
        name: nameField("For people.", "ci"),
        role: roleField.optional(),
        permissions: z.array(z.enum(PERMISSIONS)).min(1).optional().openapi({
          description: "In place of a role.",
        }),
        environments: environmentsField.openapi({
          description: "Binds it to these, for reading too. Absent: it is not bound.",
        }),
        expiresAt: instantField(
          "It is refused from then on. Absent: it does not expire.",
        ).nullish(),
      }).openapi("AdminTokenInput"),
    ),
  },
  responses: {
    201: jsonAnswer("The token, with itself in clear.", madeTokenSchema),
    ...errorAnswers(...BODY_CODES),
  },
});

const list = createRoute({
  method: "get",
  path: "/admin-tokens",
  operationId: "listAdminTokens",
  tags: ["admin tokens"],
  summary: "List admin tokens, newest first: all, or one's own",
  request: { query: closedQuery(pagingFields) },
  responses: {
    200: jsonAnswer("A page of tokens.", listOf("AdminTokenList", tokenSchema)),
    ...errorAnswers(),
  },
});

const revoke = createRoute({
  method: "post",
  path: "/admin-tokens/{id}/revoke",
  operationId: "revokeAdminToken",
  tags: ["admin tokens"],
  summary: "Revoke an admin token: any, or one's own",
  description:
    "Invitations and links for a new password that were made with it end, too. Tokens that were made with it go on.",
  request: {
    params: idParam("adm_01JZ6Y4V2S8W3N5R7T9X0B1C2D"),
    query: closedQuery({}),
    body: emptyBody,
  },
  responses: {
    200: jsonAnswer("The token, revoked.", tokenSchema),
    ...errorAnswers("not_found", ...BODY_CODES),
  },
});

export function registerAdminTokens(router: AdminRouter, deps: TokenDeps): void {
  const { store, ids, clock, randomBytes } = deps;

  router.openapi(create, async (context) => {
    const principal = context.get("principal");
    // A member's own token needs no permission: it may do nothing that the member may not.
    if (principal.kind !== "member" && !isManager(principal, "tokens:write")) {
      return refuse(context, "permission_denied", "It needs the permission `tokens:write`.");
    }
    const { name, role = null, permissions = null, ...input } = context.req.valid("json");
    const found = await findEnvironmentIds(deps, input.environments);
    if ("problems" in found) return refuseProblems(context, found.problems);
    const nowMs = clock.nowMs();
    const problems = problemsOf(principal, { role, permissions });
    if (typeof input.expiresAt === "number" && input.expiresAt <= nowMs) {
      problems.push({ param: "expiresAt", message: "`expiresAt` must be in the future." });
    }
    if (problems.length > 0) return refuseProblems(context, problems);
    const token = createAdminToken(randomBytes);
    const record: AdminTokenRecord = {
      id: ids.create("adm"),
      name,
      hash: hashAdminToken(token),
      preview: previewAdminToken(token),
      role,
      permissions,
      environments: found.environments,
      memberId: principal.memberId ?? null,
      createdBy: principal.name,
      madeWith: tokenOf(principal),
      createdAtMs: nowMs,
      expiresAtMs: input.expiresAt ?? null,
      lastUsedAtMs: null,
      revokedAtMs: null,
    };
    await store.adminTokens.insert(record);
    return context.json({ ...formatToken(record), token }, 201);
  });

  router.openapi(list, async (context) => {
    const principal = context.get("principal");
    const memberId = ownerOf(principal);
    const isAll = isManager(principal, "tokens:read");
    if (!isAll && memberId === undefined) {
      return refuse(context, "permission_denied", "It needs the permission `tokens:read`.");
    }
    const page = pageRequestOf(context.req.valid("query"));
    const tokens = await store.adminTokens.list(page, isAll ? {} : { memberId });
    return context.json(listAnswer(tokens, formatToken), 200);
  });

  router.openapi(revoke, async (context) => {
    const principal = context.get("principal");
    const { id } = context.req.valid("param");
    const found = isId("adm", id) ? await store.adminTokens.findById(id) : undefined;
    const isOwn = found?.memberId !== null && found?.memberId === ownerOf(principal);
    const isItself = found?.id === principal.id;
    if (!found || (!isOwn && !isItself && !isManager(principal, "tokens:write"))) {
      return refuse(context, "not_found", "There is no such token, or it is not yours.", "id");
    }
    if (!isOwn && !isItself && !isOwner(principal) && (await isOfOwner(deps, found))) {
      return refuse(context, "permission_denied", "Only an owner revokes a token of an owner.");
    }
    await store.transaction((repositories) => endAdminToken(repositories, found.id, clock.nowMs()));
    const record = (await store.adminTokens.findById(found.id)) ?? found;
    return context.json(formatToken(record), 200);
  });
}

/** Whose tokens are one's own: a member's who has logged in. A token's are not: it may do little for its member. */
function ownerOf({ kind, memberId }: Principal): Principal["memberId"] {
  return kind === "member" ? memberId : undefined;
}

async function isOfOwner(
  { store }: Pick<TokenDeps, "store">,
  { role, memberId }: AdminTokenRecord,
): Promise<boolean> {
  if (role === "owner") return true;
  return memberId !== null && (await store.access.members.findById(memberId))?.role === "owner";
}

function isManager(principal: Principal, permission: "tokens:read" | "tokens:write"): boolean {
  return decideAccess(principal, permission, "organization") === "allowed";
}

/** No token may do more than who makes it: what it would grant beyond that is named. */
function problemsOf(
  principal: Principal,
  asked: { readonly role: Role | null; readonly permissions: readonly Permission[] | null },
): Problem[] {
  const { role, permissions } = asked;
  if ((role === null) === (permissions === null)) {
    return [{ param: "role", message: "Give a `role` or `permissions`, one of the two." }];
  }
  const param = role === null ? "permissions" : "role";
  if (role === "owner" && !isOwner(principal)) {
    return [{ param, message: "Only an owner makes a token of the role `owner`." }];
  }
  const wanted = role === null ? (permissions ?? []) : [...PERMISSIONS_OF_ROLE[role]];
  const beyond = wanted.filter((each) => !hasPermission(principal, each));
  if (beyond.length === 0) return [];
  const names = beyond.map((each) => `\`${each}\``).join(", ");
  return [{ param, message: `You have not the permissions ${names} yourself.` }];
}

function formatToken(record: AdminTokenRecord): z.infer<typeof tokenSchema> {
  const { id, name, preview, role, permissions, environments, memberId, createdBy } = record;
  return {
    id,
    name,
    preview,
    role,
    permissions: permissions === null ? null : [...permissions],
    environmentIds: environments === null ? null : [...environments],
    memberId,
    createdBy,
    createdAt: formatInstant(record.createdAtMs),
    expiresAt: formatOptionalInstant(record.expiresAtMs),
    lastUsedAt: formatOptionalInstant(record.lastUsedAtMs),
    revokedAt: formatOptionalInstant(record.revokedAtMs),
  };
}
