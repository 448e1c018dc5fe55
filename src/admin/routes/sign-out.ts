import { createRoute, z } from "@hono/zod-openapi";
import { isOwner } from "../../core/access/principal.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { emptyBody, jsonAnswer } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { sessionCookie } from "../login-cookies.ts";
import { signOutEverywhere } from "../password-reset.ts";
import { isSecure } from "./login.ts";
import { findMember, MEMBER_ID_PARAM, NO_MEMBER, OWNERS_ONLY } from "./members.ts";

type Deps = Pick<AdminDeps, "store" | "clock" | "publicUrl">;

const endedSessionsSchema = z.object({ endedSessions: z.int() }).openapi("EndedSessions");

const revokeOf = createRoute({
  method: "post",
  path: "/members/{id}/sessions/revoke-all",
  operationId: "revokeMemberSessions",
  tags: ["members"],
  summary: "End every session of a member, and the link for a new password where one is open",
  description:
    "The password, the identity and the admin tokens stay: the member may log in again. Only an owner signs an owner out.",
  request: { params: MEMBER_ID_PARAM, query: closedQuery({}), body: emptyBody },
  responses: {
    200: jsonAnswer("How many sessions have ended.", endedSessionsSchema),
    ...errorAnswers("not_found", ...BODY_CODES),
  },
});

const revokeOwn = createRoute({
  method: "post",
  path: "/sessions/revoke-all",
  operationId: "revokeSessions",
  tags: ["login"],
  summary: "Log out everywhere: end every session of one's own, this one too",
  request: { query: closedQuery({}), body: emptyBody },
  responses: {
    200: jsonAnswer("How many have ended.", endedSessionsSchema),
    ...errorAnswers("not_found", ...BODY_CODES),
  },
});

export function registerSignOut(router: AdminRouter, deps: Deps): void {
  const { store, clock } = deps;

  router.openapi(revokeOf, async (context) => {
    const member = await findMember(store, context.req.valid("param").id);
    if (!member) return refuse(context, "not_found", NO_MEMBER, "id");
    const principal = context.get("principal");
    const outcome = await store.transaction(async ({ access }) => {
      const current = await access.members.findById(member.id);
      if (current?.role === "owner" && !isOwner(principal)) return "owners_only";
      return await signOutEverywhere(access, member.id, clock.nowMs());
    });
    if (outcome === "owners_only") return refuse(context, "permission_denied", OWNERS_ONLY);
    return context.json({ endedSessions: outcome }, 200);
  });

  router.openapi(revokeOwn, async (context) => {
    const { memberId } = context.get("principal");
    if (memberId === undefined) {
      return refuse(context, "not_found", "You are no member: you have no sessions.");
    }
    const endedSessions = await store.transaction(({ access }) =>
      signOutEverywhere(access, memberId, clock.nowMs()),
    );
    context.header("set-cookie", sessionCookie("", { isSecure: isSecure(deps), maxAgeMs: 0 }));
    return context.json({ endedSessions }, 200);
  });
}
