import { createRoute, z } from "@hono/zod-openapi";
import { isOwner, type Principal } from "../../core/access/principal.ts";
import type { Role } from "../../core/access/role.ts";
import { mayLetIn } from "../../core/access/way-in.ts";
import { isId } from "../../core/ids/ids.ts";
import type { MemberRecord } from "../../store/access-records.ts";
import type { Page } from "../../store/paging.ts";
import type { Repositories } from "../../store/store.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse, refuseProblems } from "../answers/refusal.ts";
import { closedObject, closedQuery } from "../fields/closed-object.ts";
import { formatInstant, formatOptionalInstant, instantAnswer } from "../fields/instants.ts";
import { emailField, environmentsField, roleField } from "../fields/login-fields.ts";
import { idParam, nameField } from "../fields/names.ts";
import { listAnswer, listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import { findMemberEnvironments } from "../member-environments.ts";
import { signOutEverywhere } from "../password-reset.ts";

type MemberDeps = Pick<AdminDeps, "store" | "clock">;

export const MEMBER_ID_PARAM = idParam("mem_01JZ6Y4V2S8W3N5R7T9X0B1C2D");

export const memberSchema = z
  .object({
    id: z.string().openapi({ example: "mem_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    email: z.string(),
    name: z.string().nullable(),
    role: roleField,
    environmentIds: z.array(z.string()).nullable().openapi({
      description:
        "A developer's: where keys, provider keys, routing and policy may be changed; null: outside production.",
    }),
    hasPassword: z.boolean(),
    hasIdentity: z.boolean().openapi({
      description: "Whether the member has come from the identity provider, and is known by that.",
    }),
    createdAt: instantAnswer("When the member joined."),
    lastLoginAt: instantAnswer("Null: never since then.").nullable(),
  })
  .openapi("Member");

const listMembers = createRoute({
  method: "get",
  path: "/members",
  operationId: "listMembers",
  tags: ["members"],
  summary: "List members, newest first",
  request: {
    query: closedQuery({
      ...pagingFields,
      email: emailField.optional().openapi({ description: "Only the member of this address." }),
    }),
  },
  responses: {
    200: jsonAnswer("A page of members.", listOf("MemberList", memberSchema)),
    ...errorAnswers(),
  },
});

const getMember = createRoute({
  method: "get",
  path: "/members/{id}",
  operationId: "getMember",
  tags: ["members"],
  summary: "Get a member",
  request: { params: MEMBER_ID_PARAM, query: closedQuery({}) },
  responses: { 200: jsonAnswer("The member.", memberSchema), ...errorAnswers("not_found") },
});

const updateMember = createRoute({
  method: "patch",
  path: "/members/{id}",
  operationId: "updateMember",
  tags: ["members"],
  summary: "Change a member's role, environments or name",
  description:
    "Holds from the member's next request on, and for the member's tokens. With a role, `environments` are set anew.",
  request: {
    params: MEMBER_ID_PARAM,
    query: closedQuery({}),
    body: jsonBody(
      closedObject({
        role: roleField.optional(),
        environments: environmentsField,
        name: nameField("For people.", "Anna").nullish(),
        hasIdentity: z.literal(false).optional().openapi({
          description:
            "False: forget who the member is at the identity provider, and end the member's sessions. The next login there binds anew.",
        }),
      }).openapi("MemberChange"),
    ),
  },
  responses: {
    200: jsonAnswer("The member, changed.", memberSchema),
    ...errorAnswers("not_found", "conflict", ...BODY_CODES),
  },
});

const removeMember = createRoute({
  method: "delete",
  path: "/members/{id}",
  operationId: "removeMember",
  tags: ["members"],
  summary: "Remove a member, whose sessions, tokens and open invitations end with it",
  request: { params: MEMBER_ID_PARAM, query: closedQuery({}) },
  responses: {
    200: jsonAnswer("The member as it was.", memberSchema),
    ...errorAnswers("not_found", "conflict"),
  },
});

export const NO_MEMBER = "There is no member of this id.";
const LAST_OWNER = "This is the last owner; there must be one. Make another member an owner first.";
export const BEYOND =
  "Somebody of that role may do what you may not: nobody is let in, or given a role, by whoever may do less.";
export const OWNERS_ONLY = "Only an owner makes, changes, signs out or removes an owner.";

export function registerMembers(router: AdminRouter, deps: MemberDeps): void {
  const { store, clock } = deps;

  router.openapi(listMembers, async (context) => {
    const { email, ...query } = context.req.valid("query");
    const page = await (email === undefined
      ? store.access.members.list(pageRequestOf(query))
      : findPage(store, email));
    return context.json(listAnswer(page, formatMember), 200);
  });

  router.openapi(getMember, async (context) => {
    const member = await findMember(store, context.req.valid("param").id);
    if (!member) return refuse(context, "not_found", NO_MEMBER, "id");
    return context.json(formatMember(member), 200);
  });

  router.openapi(updateMember, async (context) => {
    const member = await findMember(store, context.req.valid("param").id);
    if (!member) return refuse(context, "not_found", NO_MEMBER, "id");
    const input = context.req.valid("json");
    const { role = member.role, environments: names, name, hasIdentity } = input;
    const found = await findMemberEnvironments(deps, role, names);
    if ("problems" in found) return refuseProblems(context, found.problems);
    const isScoped = role !== member.role || names !== undefined;
    const change = {
      // Not as it was read: somebody may be changing it at this moment.
      ...(input.role !== undefined && { role }),
      ...(isScoped && { environments: found.environments }),
      ...(name !== undefined && { name }),
      ...(hasIdentity === false && { subject: null }),
    };
    const principal = context.get("principal");
    const outcome = await store.transaction(async (repositories) => {
      const refusal = await refusalOf(repositories, { principal, member, role });
      if (refusal !== undefined) return refusal;
      if (isScoped && !mayLetIn(principal, role)) return "beyond";
      const { members, sessions } = repositories.access;
      await members.update(member.id, change);
      if (role !== member.role) await endLinks(repositories, { ...member, role }, clock.nowMs());
      if (hasIdentity === false) await sessions.removeOf(member.id);
      return undefined;
    });
    if (outcome === "owners_only") return refuse(context, "permission_denied", OWNERS_ONLY);
    if (outcome === "beyond") return refuse(context, "permission_denied", BEYOND);
    if (outcome === "last_owner") return refuse(context, "conflict", LAST_OWNER, "role");
    return context.json(formatMember({ ...member, ...change }), 200);
  });

  router.openapi(removeMember, async (context) => {
    const member = await findMember(store, context.req.valid("param").id);
    if (!member) return refuse(context, "not_found", NO_MEMBER, "id");
    const principal = context.get("principal");
    const outcome = await store.transaction(async (repositories) => {
      const refusal = await refusalOf(repositories, { principal, member, role: null });
      if (refusal !== undefined) return refusal;
      const { members, invitations, passwordResets, logins } = repositories.access;
      const nowMs = clock.nowMs();
      await members.remove(member.id, nowMs);
      // Neither by a link of their own nor by one that they have made for somebody else.
      for (const which of [{ email: member.email }, { createdBy: member.email }]) {
        await invitations.revokeOpen(which, nowMs);
      }
      await passwordResets.revokeOpen({ createdBy: member.id }, nowMs);
      await signOutEverywhere(repositories.access, member.id, nowMs);
      await logins.removeDevicesOf(member.id);
      return undefined;
    });
    if (outcome === "owners_only") return refuse(context, "permission_denied", OWNERS_ONLY);
    if (outcome === "last_owner") return refuse(context, "conflict", LAST_OWNER, "id");
    return context.json(formatMember(member), 200);
  });
}

/** After another role: no link stays open that gives more than its maker may give now, or stands for what the member was. */
async function endLinks(
  { access: { invitations, passwordResets } }: Pick<Repositories, "access">,
  { id, email, role }: MemberRecord,
  nowMs: number,
): Promise<void> {
  // An owner may invite everybody.
  if (role !== "owner") await invitations.revokeOpen({ createdBy: email }, nowMs);
  for (const which of [{ memberId: id }, { createdBy: id }]) {
    await passwordResets.revokeOpen(which, nowMs);
  }
}

/** In the transaction of the change: of two owners who demote each other at once, one is refused. */
async function refusalOf(
  { access }: Pick<Repositories, "access">,
  asked: {
    readonly principal: Principal;
    readonly member: MemberRecord;
    /** Null: the member is removed. */
    readonly role: Role | null;
  },
): Promise<"owners_only" | "last_owner" | undefined> {
  const { principal, member, role } = asked;
  const current = await access.members.findById(member.id);
  const wasOwner = current?.removedAtMs === null && current.role === "owner";
  if ((wasOwner || role === "owner") && !isOwner(principal)) return "owners_only";
  if (!wasOwner || role === "owner") return undefined;
  return (await access.members.countOwners()) <= 1 ? "last_owner" : undefined;
}

async function findPage(
  { access }: Pick<Repositories, "access">,
  email: string,
): Promise<Page<MemberRecord>> {
  const found = await access.members.findByEmail(email);
  return { rows: found === undefined ? [] : [found], nextCursor: null };
}

export async function findMember(
  { access }: Pick<Repositories, "access">,
  id: string,
): Promise<MemberRecord | undefined> {
  const member = isId("mem", id) ? await access.members.findById(id) : undefined;
  return member?.removedAtMs === null ? member : undefined;
}

/** Never the hash of the password. */
export function formatMember(record: MemberRecord): z.infer<typeof memberSchema> {
  const { id, email, name, role, environments } = record;
  return {
    id,
    email,
    name,
    role,
    environmentIds: environments === null ? null : [...environments],
    hasPassword: record.passwordHash !== null,
    hasIdentity: record.subject !== null,
    createdAt: formatInstant(record.createdAtMs),
    lastLoginAt: formatOptionalInstant(record.lastLoginAtMs),
  };
}
