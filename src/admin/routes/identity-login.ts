import { timingSafeEqual } from "node:crypto";
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { ERROR_CODES, type ErrorCode } from "../../core/errors/codes.ts";
import type { AdminDeps, AdminEnv } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse } from "../answers/refusal.ts";
import { ADMIN_BASE_PATH } from "../base-path.ts";
import { closedObject, closedQuery } from "../fields/closed-object.ts";
import type { Identity, IdentityProvider } from "../identity-provider.ts";
import { findInvitation } from "../join-by-invitation.ts";
import { admitIdentity, type IdentityRefusal } from "../log-in-by-identity.ts";
import { countLogin, type LoginDeps } from "../log-in.ts";
import { checksCookie, readLoginCookies } from "../login-cookies.ts";
import { ownUrl } from "../own-url.ts";
import { escapeHtml, formatPage, PAGE_HEADERS } from "../pages/page.ts";
import { INVALID_INVITATION } from "./invitations.ts";
import { isSecure, readSource, startSession, tooManyLogins } from "./login.ts";

type Deps = LoginDeps &
  Pick<AdminDeps, "publicUrl" | "serverInfo" | "identityProvider" | "clientAddressOf" | "onFault">;

const CALLBACK = "/login/oidc/callback";
/** The one place that a page of another origin, the provider's, sends people to. */
export const CALLBACK_PATH = `${ADMIN_BASE_PATH}${CALLBACK}`;
/** Where people go who are in. Always the same: nothing in a request says where. */
const LOGGED_IN = "/login#in";
/** Longer than any provider's answer. */
const MAX_QUERY_CHARACTERS = 8192;
/** Logins that wait for the provider at a time, in one process. */
const MAX_UNDER_WAY = 50;

const begin = createRoute({
  method: "post",
  path: "/login/oidc",
  operationId: "beginIdentityLogin",
  tags: ["login"],
  summary: "Begin to log in with the identity provider; the answer says where the browser goes",
  security: [],
  request: {
    query: closedQuery({}),
    body: jsonBody(
      closedObject({
        invitation: z.string().max(512).optional().openapi({
          description: "What stands in the link of an invitation, to join by it.",
        }),
      }).openapi("IdentityLoginInput"),
    ),
  },
  responses: {
    200: jsonAnswer(
      "Where the browser goes. A cookie keeps what it has to come back with, for ten minutes.",
      z.object({ url: z.string() }).openapi("IdentityLogin"),
    ),
    ...errorAnswers(
      "not_found",
      "invalid_invitation",
      "identity_provider_unavailable",
      ...BODY_CODES,
    ),
  },
});

const finish = createRoute({
  method: "get",
  path: CALLBACK,
  operationId: "finishIdentityLogin",
  tags: ["login"],
  summary: "Where the identity provider sends browsers back to; answers with pages",
  description:
    "Takes the parameters of an authorization response (OpenID Connect Core 1.0, section 3.1.2.5), and whatever else the provider adds.",
  security: [],
  responses: {
    ...errorAnswers(),
    303: { description: "Logged in: the cookie of a session is set." },
    ...pageAnswers(
      "invalid_argument",
      "login_refused",
      "not_found",
      "login_throttled",
      "identity_provider_unavailable",
    ),
  },
});

const NOT_SET = "No identity provider is set (`oidcIssuer`). Log in with a password.";
const AWAY =
  "The identity provider does not answer as it should; the server's log says more. Members with a password can log in by that.";
const NOT_BEGUN =
  "This login was not begun in this browser, was begun more than ten minutes ago, or another one was begun after it.";

export function registerIdentityLogin(router: AdminRouter, deps: Deps): void {
  const { identityProvider: provider } = deps;
  let underWay = 0;

  router.openapi(begin, async (context) => {
    if (provider === undefined) return refuse(context, "not_found", NOT_SET);
    const base = ownUrl(deps, context.req.url);
    // The cookie that is set now has to be there when the provider sends the browser to `base`.
    const origin = context.req.header("origin");
    if (origin !== undefined && origin !== new URL(base).origin) {
      const message = `The identity provider sends people back to ${base}. Open ${base}/login, or set \`publicUrl\` to where people reach Keyward.`;
      return refuse(context, "origin_not_allowed", message);
    }
    const { invitation } = context.req.valid("json");
    if (invitation !== undefined && (await findInvitation(deps, invitation)) === undefined) {
      return refuse(context, "invalid_invitation", INVALID_INVITATION);
    }
    const begun = await provider.begin(`${base}${CALLBACK_PATH}`);
    if (begun.kind === "unavailable") {
      tellLog(deps, context, begun.reason);
      return refuse(context, "identity_provider_unavailable", AWAY);
    }
    context.header("set-cookie", checksCookie({ ...begun.checks, invitation }, isSecure(deps)));
    return context.json({ url: begun.url }, 200);
  });

  router.openapi(finish, async (context) => {
    if (provider === undefined) return showProblem(context, "not_found", NOT_SET);
    if (underWay >= MAX_UNDER_WAY) {
      return showProblem(context, "login_throttled", "Too many logins are under way.");
    }
    underWay += 1;
    try {
      return await finishLogin({ ...deps, provider }, context);
    } finally {
      underWay -= 1;
    }
  });
}

async function finishLogin(
  deps: Deps & { readonly provider: IdentityProvider },
  context: Context<AdminEnv>,
): Promise<Response> {
  const { provider } = deps;
  const secure = isSecure(deps);
  const { underWay } = readLoginCookies(context.req.header("cookie") ?? null, secure);
  // Whatever comes of it, these checks have been used.
  context.header("set-cookie", checksCookie(undefined, secure), { append: true });
  const { search, searchParams } = new URL(context.req.url);
  const states = searchParams.getAll("state");
  const isOurs =
    underWay !== undefined &&
    search.length <= MAX_QUERY_CHARACTERS &&
    states.length === 1 &&
    isSame(states[0] ?? "", underWay.state);
  if (!isOurs) return showProblem(context, "invalid_argument", NOT_BEGUN);
  // Whoever makes up a cookie and the answer to it has us ask the provider: so often and no more.
  const source = readSource(deps, context);
  const counted = await countLogin(deps, source);
  if ("waitMs" in counted) {
    const seconds = Math.ceil(counted.waitMs / 1000);
    context.header("retry-after", String(seconds));
    return showProblem(context, "login_throttled", tooManyLogins(seconds));
  }
  const redirectUri = `${ownUrl(deps, context.req.url)}${CALLBACK_PATH}`;
  const answer = await provider.finish({ query: search, redirectUri }, underWay);
  if (answer.kind === "refused") {
    context.set("refusedBecause", answer.said);
    const message = `${provider.name} did not log you in. It says: ${answer.said}`;
    return showProblem(context, "login_refused", message);
  }
  if (answer.kind === "unavailable") {
    await counted.forgive();
    tellLog(deps, context, answer.reason);
    return showProblem(context, "identity_provider_unavailable", AWAY);
  }
  if (answer.kind === "invalid") {
    context.set("refusedBecause", answer.reason);
    const message = `What ${provider.name} answered does not hold: it was used before, is too old, or is not for this login.`;
    return showProblem(context, "login_refused", message);
  }
  const { identity } = answer;
  const outcome = await admitIdentity(
    deps,
    { identity, link: underWay.invitation },
    { address: source.address, requestId: context.get("requestId") },
  );
  const refuseAs = (refusal: IdentityRefusal) => {
    context.set("refusedBecause", refusal);
    return showProblem(context, "login_refused", REFUSALS[refusal]({ provider, identity }));
  };
  if ("refusal" in outcome) return refuseAs(outcome.refusal);
  await counted.forgive();
  const { member } = outcome;
  // Removed or unbound in this moment.
  if (!(await startSession(deps, context, { member, by: "subject", source }))) {
    return refuseAs("stranger");
  }
  context.header("referrer-policy", "no-referrer");
  return context.redirect(LOGGED_IN, 303);
}

type Told = { readonly provider: IdentityProvider; readonly identity: Identity };

const REFUSALS: Readonly<Record<IdentityRefusal, (told: Told) => string>> = {
  stranger: ({ identity }) =>
    `${identity.email ?? "You"} is no member of this Keyward, and is not invited. Ask an owner for an invitation.`,
  no_email: ({ provider }) =>
    `${provider.name} tells no e-mail address of you. Whoever looks after it can have it do so.`,
  unverified: ({ provider, identity }) =>
    `${provider.name} does not say that ${identity.email ?? "your address"} is verified, so it cannot tell who you are here. Ask an owner for an invitation, and join by its link.`,
  other_identity: ({ provider, identity }) =>
    `The member ${identity.email ?? ""} is bound to another account at ${provider.name}. If that account is gone, an owner undoes the binding with \`keyward members unbind\`.`,
  other_email: ({ provider, identity }) =>
    `The invitation is not for ${identity.email ?? ""}, whom ${provider.name} has logged in. Log in there as the one who was invited.`,
  invalid_invitation: () => INVALID_INVITATION,
  taken: ({ identity }) =>
    `There is already a member ${identity.email ?? ""}. Log in without the link.`,
};

/** A page: whoever gets here is a person with a browser. */
function showProblem(context: Context<AdminEnv>, code: ErrorCode, message: string): Response {
  context.set("refusedWith", code);
  for (const [name, value] of Object.entries(PAGE_HEADERS)) context.header(name, value);
  const body = `<p role="alert">${escapeHtml(message)}</p>\n<p><a class="button" href="/login">Log in again</a></p>`;
  return context.html(
    formatPage({ title: "You are not logged in", body }),
    ERROR_CODES[code].status,
  );
}

/** The reason holds no token and no code. */
function tellLog(
  { onFault }: Pick<Deps, "onFault">,
  context: Context<AdminEnv>,
  reason: string,
): void {
  const { method, path } = context.req;
  const error = new Error(`the identity provider: ${reason}`);
  const code = "identity_provider_unavailable";
  onFault?.({ requestId: context.get("requestId"), method, path, code, error });
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function pageAnswers(...codes: readonly ErrorCode[]) {
  return Object.fromEntries(
    codes.map((code) => {
      const { status, title } = ERROR_CODES[code];
      const content = { "text/html": { schema: z.string() } };
      return [status, { description: `\`${code}\`: ${title}`, content }];
    }),
  );
}
