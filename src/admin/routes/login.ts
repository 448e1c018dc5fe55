import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { hasPermission } from "../../core/access/decide-access.ts";
import { PERMISSIONS } from "../../core/access/permission.ts";
import type { Principal } from "../../core/access/principal.ts";
import { DEFAULT_SESSION_LIMITS } from "../../core/access/session.ts";
import { isId } from "../../core/ids/ids.ts";
import { counted } from "../../core/text/counted.ts";
import type { MemberRecord, SessionRecord } from "../../store/access-records.ts";
import type { AdminDeps, AdminEnv } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { emptyBody, jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse } from "../answers/refusal.ts";
import { memberPrincipal } from "../authenticator.ts";
import { callerAddress } from "../caller-address.ts";
import { closedObject, closedQuery } from "../fields/closed-object.ts";
import { formatInstant, instantAnswer } from "../fields/instants.ts";
import {
  emailField,
  givenPasswordField,
  newPasswordField,
  roleField,
} from "../fields/login-fields.ts";
import { idParam } from "../fields/names.ts";
import { listOf } from "../fields/paging.ts";
import {
  checkLogin,
  DEVICE_LIFE_MS,
  type LoginDeps,
  type LoginSource,
  openSession,
  type Proven,
} from "../log-in.ts";
import { deviceCookie, readLoginCookies, sessionCookie } from "../login-cookies.ts";
import { HasherBusyError } from "../password-hasher.ts";

type Deps = LoginDeps & Pick<AdminDeps, "publicUrl" | "clientAddressOf">;

const whoSchema = z
  .object({
    kind: z.enum(["member", "token", "system"]),
    id: z.string(),
    name: z.string().openapi({ description: "A member's e-mail, or a token's name." }),
    role: roleField
      .nullable()
      .openapi({ description: "Null: a token with permissions of its own." }),
    permissions: z.array(z.enum(PERMISSIONS)),
  })
  .openapi("Who");

const sessionSchema = z
  .object({
    id: z.string().openapi({ example: "ses_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    isCurrent: z.boolean(),
    address: z.string().nullable(),
    userAgent: z.string().nullable(),
    createdAt: instantAnswer("When the member logged in."),
    lastSeenAt: instantAnswer("To the minute."),
  })
  .openapi("Session");

const logIn = createRoute({
  method: "post",
  path: "/login",
  operationId: "logIn",
  tags: ["login"],
  summary: "Log in with a password; the answer sets the cookie of a session",
  security: [],
  request: {
    query: closedQuery({}),
    body: jsonBody(
      closedObject({ email: emailField, password: givenPasswordField }).openapi("LoginInput"),
    ),
  },
  responses: {
    200: jsonAnswer("Who has logged in.", whoSchema),
    ...errorAnswers("invalid_login", "login_throttled", ...BODY_CODES),
  },
});

const logOut = createRoute({
  method: "post",
  path: "/logout",
  operationId: "logOut",
  tags: ["login"],
  summary: "End the session that the request came with",
  request: { query: closedQuery({}), body: emptyBody },
  responses: {
    200: jsonAnswer("It is ended.", z.object({}).openapi("LoggedOut")),
    ...errorAnswers(...BODY_CODES),
  },
});

const getMe = createRoute({
  method: "get",
  path: "/me",
  operationId: "getMe",
  tags: ["login"],
  summary: "Who asks, and what they may do",
  request: { query: closedQuery({}) },
  responses: { 200: jsonAnswer("Who asks.", whoSchema), ...errorAnswers() },
});

const updateMyPassword = createRoute({
  method: "post",
  path: "/me/password",
  operationId: "updateMyPassword",
  tags: ["login"],
  summary: "Set another password; every other session of the member ends",
  request: {
    query: closedQuery({}),
    body: jsonBody(
      closedObject({
        currentPassword: givenPasswordField.optional(),
        newPassword: newPasswordField,
      }).openapi("PasswordChange"),
    ),
  },
  responses: {
    200: jsonAnswer("Who asks.", whoSchema),
    ...errorAnswers("invalid_login", "login_throttled", ...BODY_CODES),
  },
});

const listSessions = createRoute({
  method: "get",
  path: "/sessions",
  operationId: "listSessions",
  tags: ["login"],
  summary: "List one's own sessions, last seen first",
  request: { query: closedQuery({}) },
  responses: {
    200: jsonAnswer("All of them; none for a token.", listOf("SessionList", sessionSchema)),
    ...errorAnswers(),
  },
});

const revokeSession = createRoute({
  method: "post",
  path: "/sessions/{id}/revoke",
  operationId: "revokeSession",
  tags: ["login"],
  summary: "End one of one's own sessions",
  request: {
    params: idParam("ses_01JZ6Y4V2S8W3N5R7T9X0B1C2D"),
    query: closedQuery({}),
    body: emptyBody,
  },
  responses: {
    200: jsonAnswer("It is ended.", z.object({}).openapi("EndedSession")),
    ...errorAnswers("not_found", ...BODY_CODES),
  },
});

export function registerLogin(router: AdminRouter, deps: Deps): void {
  const { store } = deps;

  router.openapi(logIn, async (context) => {
    const source = readSource(deps, context);
    const outcome = await check(deps, context.req.valid("json"), source);
    if ("refusal" in outcome) return refuseLogin(context, outcome.refusal);
    const { member } = outcome;
    const isIn = await startSession(deps, context, { member, by: "passwordHash", source });
    if (!isIn) return refuseLogin(context, "wrong");
    return context.json(describeMember(member), 200);
  });

  router.openapi(logOut, async (context) => {
    const { memberId, sessionId } = context.get("principal");
    if (memberId !== undefined && sessionId !== undefined) {
      await store.access.sessions.remove(sessionId, memberId);
    }
    context.header("set-cookie", sessionCookie("", { isSecure: isSecure(deps), maxAgeMs: 0 }));
    return context.json({}, 200);
  });

  router.openapi(getMe, (context) => context.json(describe(context.get("principal")), 200));

  router.openapi(updateMyPassword, async (context) => {
    const { kind, memberId, sessionId } = context.get("principal");
    const member =
      memberId === undefined ? undefined : await store.access.members.findById(memberId);
    if (kind !== "member" || member === undefined) {
      return refuse(
        context,
        "permission_denied",
        "Only a member who has logged in has a password.",
      );
    }
    const { currentPassword = "", newPassword } = context.req.valid("json");
    // Who came by another way has none yet; who has one must know it, or a browser left open would be enough.
    if (member.passwordHash !== null) {
      const given = { email: member.email, password: currentPassword };
      const outcome = await check(deps, given, readSource(deps, context));
      if ("refusal" in outcome) return refuseLogin(context, outcome.refusal);
    }
    const isSet = await setPassword(deps, { member, newPassword, keep: sessionId });
    return isSet ? context.json(describeMember(member), 200) : refuseLogin(context, "wrong");
  });

  router.openapi(listSessions, async (context) => {
    const { memberId, sessionId } = context.get("principal");
    const rows = memberId === undefined ? [] : await store.access.sessions.listOf(memberId);
    const data = rows.map((row) => formatSession(row, row.id === sessionId));
    return context.json({ data, nextCursor: null }, 200);
  });

  router.openapi(revokeSession, async (context) => {
    const { memberId } = context.get("principal");
    const { id } = context.req.valid("param");
    const isEnded =
      memberId !== undefined &&
      isId("ses", id) &&
      (await store.access.sessions.remove(id, memberId));
    if (!isEnded) return refuse(context, "not_found", "You have no session of this id.", "id");
    return context.json({}, 200);
  });
}

/** Sets the cookies of somebody who has proved who they are; false where that does not hold any more. */
export async function startSession(
  deps: Deps,
  context: Context<AdminEnv>,
  { source, ...proven }: Proven & { readonly source: LoginSource },
): Promise<boolean> {
  const secure = isSecure(deps);
  const { maxMs } = deps.sessionLimits ?? DEFAULT_SESSION_LIMITS;
  const opened = await openSession(deps, proven, source);
  if (opened === undefined) return false;
  const cookies = [
    sessionCookie(opened.session, { isSecure: secure, maxAgeMs: maxMs }),
    deviceCookie(opened.device, { isSecure: secure, maxAgeMs: DEVICE_LIFE_MS }),
  ];
  for (const cookie of cookies) context.header("set-cookie", cookie, { append: true });
  return true;
}

export function readSource(deps: Deps, context: Context<AdminEnv>): LoginSource {
  const { headers } = context.req.raw;
  const { device } = readLoginCookies(headers.get("cookie"), isSecure(deps));
  const address = callerAddress(deps, context);
  return { address, userAgent: headers.get("user-agent"), device };
}

type Refused = "wrong" | { readonly waitMs: number };

async function check(
  deps: Deps,
  given: Parameters<typeof checkLogin>[1],
  source: LoginSource,
): Promise<{ readonly member: MemberRecord } | { readonly refusal: Refused }> {
  try {
    const outcome = await checkLogin(deps, given, source);
    return typeof outcome === "object" && "member" in outcome ? outcome : { refusal: outcome };
  } catch (error) {
    // Recovered from: a flood of logins is refused, and nothing else suffers from it.
    if (!(error instanceof HasherBusyError)) throw error;
    return { refusal: { waitMs: 1000 } };
  }
}

function refuseLogin(context: Context<AdminEnv>, refusal: Refused) {
  if (refusal === "wrong") {
    return refuse(context, "invalid_login", "The e-mail or the password is wrong.");
  }
  const seconds = Math.ceil(refusal.waitMs / 1000);
  context.header("retry-after", String(seconds));
  return refuse(context, "login_throttled", tooManyLogins(seconds));
}

export function tooManyLogins(seconds: number): string {
  return `Too many logins have failed. Try again in ${counted(seconds, "second")}.`;
}

/** False when the member was removed, has another password or has ended this session since the request was let in. */
async function setPassword(
  { store, passwords, clock }: Deps,
  asked: {
    readonly member: MemberRecord;
    readonly newPassword: string;
    readonly keep: SessionRecord["id"] | undefined;
  },
): Promise<boolean> {
  const { id } = asked.member;
  const passwordHash = await passwords.hash(asked.newPassword);
  return await store.transaction(async ({ access }) => {
    const current = await access.members.findById(id);
    if (current?.removedAtMs !== null) return false;
    if (current.passwordHash !== asked.member.passwordHash) return false;
    const sessions = await access.sessions.listOf(id);
    if (!sessions.some((session) => session.id === asked.keep)) return false;
    await access.members.update(id, { passwordHash });
    await access.sessions.removeOf(id, asked.keep);
    await access.passwordResets.revokeOpen({ memberId: id }, clock.nowMs());
    await access.logins.removeDevicesOf(id);
    return true;
  });
}

/** Whether people come over https. */
export function isSecure({ publicUrl }: Pick<AdminDeps, "publicUrl">): boolean {
  return publicUrl?.startsWith("https:") ?? false;
}

function describeMember(member: MemberRecord): z.infer<typeof whoSchema> {
  return describe(memberPrincipal(member));
}

function describe(principal: Principal): z.infer<typeof whoSchema> {
  const { kind, id, name, role } = principal;
  const permissions = PERMISSIONS.filter((each) => hasPermission(principal, each));
  return { kind, id, name, role, permissions };
}

function formatSession(record: SessionRecord, isCurrent: boolean): z.infer<typeof sessionSchema> {
  const { id, address, userAgent, createdAtMs, lastSeenAtMs } = record;
  return {
    id,
    isCurrent,
    address,
    userAgent,
    createdAt: formatInstant(createdAtMs),
    lastSeenAt: formatInstant(lastSeenAtMs),
  };
}
