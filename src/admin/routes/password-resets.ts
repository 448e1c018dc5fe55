import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { type Principal, tokenOf } from "../../core/access/principal.ts";
import { mayStandInFor } from "../../core/access/way-in.ts";
import type { MemberRecord } from "../../store/access-records.ts";
import type { AdminDeps, AdminEnv } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { emptyBody, jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse } from "../answers/refusal.ts";
import { callerAddress } from "../caller-address.ts";
import { closedObject, closedQuery } from "../fields/closed-object.ts";
import { formatInstant, instantAnswer } from "../fields/instants.ts";
import { newPasswordField } from "../fields/login-fields.ts";
import type { LoginDeps } from "../log-in.ts";
import { ownUrl } from "../own-url.ts";
import { HasherBusyError } from "../password-hasher.ts";
import { makePasswordReset, passwordResetLink, resetPassword } from "../password-reset.ts";
import { readSource, startSession, tooManyLogins } from "./login.ts";
import { findMember, formatMember, MEMBER_ID_PARAM, memberSchema, NO_MEMBER } from "./members.ts";

type Deps = LoginDeps & Pick<AdminDeps, "publicUrl" | "serverInfo" | "clientAddressOf">;

const madeResetSchema = z
  .object({
    memberId: z.string(),
    email: z.string(),
    hasPassword: z.boolean().openapi({
      description: "False: it will be the member's first, beside the identity provider.",
    }),
    createdAt: instantAnswer("When it was made."),
    expiresAt: instantAnswer("From when on the link does nothing."),
    link: z.string().openapi({
      description: "Lets whoever has it in, once. Stands in this answer and in no other.",
    }),
  })
  .openapi("MadePasswordReset");

const create = createRoute({
  method: "post",
  path: "/members/{id}/password-reset",
  operationId: "createPasswordReset",
  tags: ["members"],
  summary: "Make a link by which a member sets a new password, once",
  description:
    "In place of every such link that is still open. The old password and the sessions hold until the link is used, and end then. An owner makes one for anybody else, an admin for developers, billing and viewers.",
  request: { params: MEMBER_ID_PARAM, query: closedQuery({}), body: emptyBody },
  responses: {
    201: jsonAnswer("The link.", madeResetSchema),
    ...errorAnswers("not_found", ...BODY_CODES),
  },
});

const use = createRoute({
  method: "post",
  path: "/login/reset",
  operationId: "acceptPasswordReset",
  tags: ["login"],
  summary:
    "Set a new password by the secret of a link; every session ends, and the answer sets the cookie of a new one",
  security: [],
  request: {
    query: closedQuery({}),
    body: jsonBody(
      closedObject({
        secret: z.string().max(512).openapi({ description: "What stands in the link." }),
        password: newPasswordField,
      }).openapi("PasswordResetInput"),
    ),
  },
  responses: {
    200: jsonAnswer("The member.", memberSchema),
    ...errorAnswers("invalid_reset_link", "login_throttled", ...BODY_CODES),
  },
});

const INVALID = "The link is unknown, was used or revoked, or has expired. Ask for a new one.";
const ABOVE =
  "An admin makes such a link for developers, billing and viewers, a token of single permissions for those who may do no more than itself; for owners and admins an owner makes it.";
const OWN =
  "A link for oneself is made by somebody else, or with `keyward members reset-password` on the server's machine; who knows the password changes it with `POST /me/password`.";

export function registerPasswordResets(router: AdminRouter, deps: Deps): void {
  const { store, clock } = deps;

  router.openapi(create, async (context) => {
    const member = await findMember(store, context.req.valid("param").id);
    if (!member) return refuse(context, "not_found", NO_MEMBER, "id");
    const principal = context.get("principal");
    // Of a member's token the member: it ends with the member, and so does what it has made.
    const { id: createdBy } = principal.within ?? principal;
    const { record, secret } = makePasswordReset(deps, {
      memberId: member.id,
      createdBy,
      madeWith: tokenOf(principal),
    });
    const refusal = await store.transaction(async ({ access }) => {
      // As it is now: who has become an owner meanwhile is nobody's to stand in for.
      const current = await access.members.findById(member.id);
      const reason = refusalOf(principal, current);
      if (reason !== undefined) return reason;
      await access.passwordResets.revokeOpen({ memberId: member.id }, clock.nowMs());
      await access.passwordResets.insert(record);
      return undefined;
    });
    if (refusal === "removed") return refuse(context, "not_found", NO_MEMBER, "id");
    if (refusal !== undefined) return refuse(context, "permission_denied", refusal);
    const answer = {
      memberId: member.id,
      email: member.email,
      hasPassword: member.passwordHash !== null,
      createdAt: formatInstant(record.createdAtMs),
      expiresAt: formatInstant(record.expiresAtMs),
      link: passwordResetLink(ownUrl(deps, context.req.url), secret),
    };
    return context.json(answer, 201);
  });

  router.openapi(use, async (context) => {
    const from = {
      address: callerAddress(deps, context),
      requestId: context.get("requestId"),
    };
    const member = await whileNotBusy(() => resetPassword(deps, context.req.valid("json"), from));
    if (member === "busy") return refuseBusy(context);
    if (member === undefined) return refuse(context, "invalid_reset_link", INVALID);
    // False for whoever is removed in that moment; the next request says so.
    const proven = { member, by: "passwordHash" } as const;
    await startSession(deps, context, { ...proven, source: readSource(deps, context) });
    return context.json(formatMember(member), 200);
  });
}

/** Whoever makes a link can be who it is for: not by a browser that was left open, and nobody who may do more. */
function refusalOf(principal: Principal, member: MemberRecord | undefined): string | undefined {
  if (member?.removedAtMs !== null) return "removed";
  if (principal.memberId === member.id) return OWN;
  return mayStandInFor(principal, member.role) ? undefined : ABOVE;
}

async function whileNotBusy<Result>(work: () => Promise<Result>): Promise<Result | "busy"> {
  try {
    return await work();
  } catch (error) {
    // Recovered from: a flood of logins is refused, and nothing else suffers from it.
    if (!(error instanceof HasherBusyError)) throw error;
    return "busy";
  }
}

function refuseBusy(context: Context<AdminEnv>) {
  context.header("retry-after", "1");
  return refuse(context, "login_throttled", tooManyLogins(1));
}
