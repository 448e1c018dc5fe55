import { createRoute, z } from "@hono/zod-openapi";
import { isOwner, tokenOf } from "../../core/access/principal.ts";
import { mayLetIn } from "../../core/access/way-in.ts";
import { isId } from "../../core/ids/ids.ts";
import type { InvitationRecord, MemberRecord } from "../../store/access-records.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { emptyBody, jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse, refuseProblems } from "../answers/refusal.ts";
import { callerAddress } from "../caller-address.ts";
import { closedObject, closedQuery } from "../fields/closed-object.ts";
import { formatInstant, instantAnswer } from "../fields/instants.ts";
import {
  emailField,
  environmentsField,
  newPasswordField,
  roleField,
} from "../fields/login-fields.ts";
import { idParam, nameField } from "../fields/names.ts";
import { listAnswer, listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import { findInvitation, type JoinedFrom, joinByInvitation } from "../join-by-invitation.ts";
import type { LoginDeps } from "../log-in.ts";
import { invitationLink, makeInvitation } from "../make-invitation.ts";
import { findMemberEnvironments } from "../member-environments.ts";
import { ownUrl } from "../own-url.ts";
import { readSource, startSession } from "./login.ts";
import { formatMember, memberSchema, BEYOND, OWNERS_ONLY } from "./members.ts";

type InvitationDeps = LoginDeps & Pick<AdminDeps, "publicUrl" | "serverInfo" | "clientAddressOf">;

const invitationFields = {
  id: z.string().openapi({ example: "inv_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
  email: z.string().nullable().openapi({ description: "Null: whoever has the link says." }),
  role: roleField,
  environmentIds: z.array(z.string()).nullable(),
  createdBy: z.string(),
  createdAt: instantAnswer("When it was made."),
  expiresAt: instantAnswer("From when on the link does nothing."),
};
const invitationSchema = z.object(invitationFields).openapi("Invitation");
const madeInvitationSchema = z
  .object({
    ...invitationFields,
    link: z.string().openapi({
      description: "Lets whoever has it in, once. Stands in this answer and in no other.",
    }),
  })
  .openapi("MadeInvitation");

const create = createRoute({
  method: "post",
  path: "/invitations",
  operationId: "createInvitation",
  tags: ["members"],
  summary: "Invite somebody with a link that works once",
  description:
    "In place of every link for this address that is still open. Ends as well when the person joins in another way, and with the member who has made it.",
  request: {
    query: closedQuery({}),
    body: jsonBody(
      closedObject({
        email: emailField,
        role: roleField,
        environments: environmentsField,
      }).openapi("InvitationInput"),
    ),
  },
  responses: {
    201: jsonAnswer("The invitation, with its link.", madeInvitationSchema),
    ...errorAnswers("conflict", ...BODY_CODES),
  },
});

const list = createRoute({
  method: "get",
  path: "/invitations",
  operationId: "listInvitations",
  tags: ["members"],
  summary: "List invitations that nobody has accepted or revoked, newest first",
  request: { query: closedQuery(pagingFields) },
  responses: {
    200: jsonAnswer("A page of invitations.", listOf("InvitationList", invitationSchema)),
    ...errorAnswers(),
  },
});

const revoke = createRoute({
  method: "post",
  path: "/invitations/{id}/revoke",
  operationId: "revokeInvitation",
  tags: ["members"],
  summary: "Take an invitation back",
  request: {
    params: idParam("inv_01JZ6Y4V2S8W3N5R7T9X0B1C2D"),
    query: closedQuery({}),
    body: emptyBody,
  },
  responses: {
    200: jsonAnswer("The invitation as it was.", invitationSchema),
    ...errorAnswers("not_found", ...BODY_CODES),
  },
});

const accept = createRoute({
  method: "post",
  path: "/invitations/accept",
  operationId: "acceptInvitation",
  tags: ["login"],
  summary: "Join by the secret of an invitation's link; the answer sets the cookie of a session",
  security: [],
  request: {
    query: closedQuery({}),
    body: jsonBody(
      closedObject({
        secret: z.string().max(512).openapi({ description: "What stands in the link." }),
        email: emailField.optional().openapi({
          description: "Where the invitation names none; else it is the invitation's.",
        }),
        name: nameField("For people.", "Anna").nullish(),
        password: newPasswordField,
      }).openapi("JoinInput"),
    ),
  },
  responses: {
    201: jsonAnswer("The new member.", memberSchema),
    ...errorAnswers("invalid_invitation", "conflict", ...BODY_CODES),
  },
});

export const INVALID_INVITATION =
  "The link is unknown, was used or revoked, or has expired. Ask for a new one.";
const TAKEN = "There is already a member of this e-mail address.";
const FORGOTTEN =
  "A member who has forgotten the password gets a link for a new one with `keyward members reset-password`.";

export function registerInvitations(router: AdminRouter, deps: InvitationDeps): void {
  const { store, clock } = deps;

  router.openapi(create, async (context) => {
    const { email, role, environments: names } = context.req.valid("json");
    const principal = context.get("principal");
    // Of a member's token the member: it ends with the member, and so does what it has made.
    const { name: createdBy } = principal.within ?? principal;
    if (!mayLetIn(principal, role)) {
      const reason = role === "owner" ? OWNERS_ONLY : BEYOND;
      return refuse(context, "permission_denied", reason);
    }
    const found = await findMemberEnvironments(deps, role, names);
    if ("problems" in found) return refuseProblems(context, found.problems);
    const { environments } = found;
    const madeWith = tokenOf(principal);
    const about = { email, role, environments, createdBy, madeWith };
    const { record, secret } = makeInvitation(deps, about);
    const outcome = await store.transaction(async ({ access: { members, invitations } }) => {
      if ((await members.findByEmail(email)) !== undefined) return "taken";
      const open = await invitations.findOpenByEmail(email, clock.nowMs());
      if (open?.role === "owner" && !isOwner(principal)) return "owners_only";
      // The newest says what the person may do: an older link must not say otherwise.
      await invitations.revokeOpen({ email }, clock.nowMs());
      await invitations.insert(record);
      return "made";
    });
    if (outcome === "taken") {
      return refuse(context, "conflict", `${TAKEN} ${FORGOTTEN}`, "email");
    }
    if (outcome === "owners_only") return refuse(context, "permission_denied", OWNERS_ONLY);
    const link = invitationLink(ownUrl(deps, context.req.url), secret);
    return context.json({ ...formatInvitation(record), link }, 201);
  });

  router.openapi(list, async (context) => {
    const page = await store.access.invitations.list(pageRequestOf(context.req.valid("query")));
    return context.json(listAnswer(page, formatInvitation), 200);
  });

  router.openapi(revoke, async (context) => {
    const { id } = context.req.valid("param");
    const found = isId("inv", id) ? await store.access.invitations.findById(id) : undefined;
    // Whoever may not make an owner may not keep one from joining.
    if (found?.role === "owner" && !isOwner(context.get("principal"))) {
      return refuse(context, "permission_denied", OWNERS_ONLY);
    }
    const isRevoked = found && (await store.access.invitations.revoke(found.id, clock.nowMs()));
    if (!found || !isRevoked) {
      const message = "There is no invitation of this id that is still open.";
      return refuse(context, "not_found", message, "id");
    }
    return context.json(formatInvitation(found), 200);
  });

  router.openapi(accept, async (context) => {
    const input = context.req.valid("json");
    const outcome = await join(deps, input, {
      address: callerAddress(deps, context),
      requestId: context.get("requestId"),
    });
    if (outcome === "invalid") return refuse(context, "invalid_invitation", INVALID_INVITATION);
    if (outcome === "taken") return refuse(context, "conflict", TAKEN, "email");
    if (outcome === "other_email") {
      const message = "`email` must be the address that was invited, or be left out.";
      return refuseProblems(context, [{ param: "email", message }]);
    }
    if (outcome === "nameless") {
      return refuseProblems(context, [{ param: "email", message: "`email` is required." }]);
    }
    const proven = { member: outcome, by: "passwordHash" } as const;
    // False for whoever is removed in that moment; the next request says so.
    await startSession(deps, context, { ...proven, source: readSource(deps, context) });
    return context.json(formatMember(outcome), 201);
  });
}

/** The password is hashed for valid links only, and outside of the transaction that others wait for. */
async function join(
  deps: InvitationDeps,
  input: {
    readonly secret: string;
    readonly email?: string | undefined;
    readonly name?: string | null | undefined;
    readonly password: string;
  },
  from: JoinedFrom,
): Promise<MemberRecord | "invalid" | "taken" | "nameless" | "other_email"> {
  const found = await findInvitation(deps, input.secret);
  if (found === undefined) return "invalid";
  // Joined under another address than the one that was typed, somebody could not log in and would not know why.
  const isOther = found.email !== null && input.email !== undefined && input.email !== found.email;
  if (isOther) return "other_email";
  const email = found.email ?? input.email;
  if (email === undefined) return "nameless";
  const passwordHash = await deps.passwords.hash(input.password);
  const who = { email, name: input.name ?? null, passwordHash, subject: null };
  return await joinByInvitation(deps, found, who, from);
}

function formatInvitation(record: InvitationRecord): z.infer<typeof invitationSchema> {
  const { id, email, role, environments, createdBy, createdAtMs, expiresAtMs } = record;
  return {
    id,
    email,
    role,
    environmentIds: environments === null ? null : [...environments],
    createdBy,
    createdAt: formatInstant(createdAtMs),
    expiresAt: formatInstant(expiresAtMs),
  };
}
