import { Hono } from "hono";
import { ERROR_CODES } from "../core/errors/codes.ts";
import type { AdminCaller, AdminDeps, AdminEnv } from "./admin-deps.ts";
import { type AdminRouter, createAdminRouter } from "./admin-router.ts";
import { createFaultHandler } from "./answers/fault-answer.ts";
import { refuse } from "./answers/refusal.ts";
import { createApiDocument } from "./api-document.ts";
import { ADMIN_BASE_PATH } from "./base-path.ts";
import { quoteInput } from "./fields/quote-input.ts";
import { createRouteFinder, requirePermission } from "./guards/access.ts";
import { requireAdmin, requireAdminStill } from "./guards/bearer-token.ts";
import { readJsonBody } from "./guards/json-body.ts";
import { nameActor } from "./guards/name-actor.ts";
import { refuseWhileAway } from "./guards/refuse-while-away.ts";
import { refuseOtherOrigins } from "./guards/same-origin.ts";
import { registerAdminTokens } from "./routes/admin-tokens.ts";
import { registerAlertChannels } from "./routes/alert-channels.ts";
import { registerAlertMutes } from "./routes/alert-mutes.ts";
import { registerAlertRules } from "./routes/alert-rules.ts";
import { registerAlerts } from "./routes/alerts.ts";
import { registerAudit } from "./routes/audit.ts";
import { registerBudgets } from "./routes/budgets.ts";
import { registerClientTokens } from "./routes/client-tokens.ts";
import { registerConfirmRevoked } from "./routes/confirm-revoked.ts";
import { registerCorrections } from "./routes/corrections.ts";
import { registerCustomers } from "./routes/customers.ts";
import { registerEnvironmentPolicy } from "./routes/environment-policy.ts";
import { registerEnvironments } from "./routes/environments.ts";
import { CALLBACK_PATH, registerIdentityLogin } from "./routes/identity-login.ts";
import { registerInvitations } from "./routes/invitations.ts";
import { registerKeyRevocation } from "./routes/key-revocation.ts";
import { registerKeyRotation } from "./routes/key-rotation.ts";
import { registerKeys } from "./routes/keys.ts";
import { registerLeaks } from "./routes/leaks.ts";
import { registerLimits } from "./routes/limits.ts";
import { registerLiveCalls } from "./routes/live-calls.ts";
import { registerLogin } from "./routes/login.ts";
import { registerMembers } from "./routes/members.ts";
import { registerPasswordResets } from "./routes/password-resets.ts";
import { registerPendingUsage } from "./routes/pending-usage.ts";
import { registerPriceOverrides } from "./routes/price-overrides.ts";
import { registerPrices } from "./routes/prices.ts";
import { registerProjects } from "./routes/projects.ts";
import { registerProviderAccountLimits } from "./routes/provider-account-limits.ts";
import { registerProviderAccounts } from "./routes/provider-accounts.ts";
import { registerProviderAdminKeys } from "./routes/provider-admin-keys.ts";
import { registerProviderKeyRotation } from "./routes/provider-key-rotation.ts";
import { registerProviderKeys } from "./routes/provider-keys.ts";
import { registerProviders } from "./routes/providers.ts";
import { registerProvisions } from "./routes/provisions.ts";
import { registerRotations } from "./routes/rotations.ts";
import { registerRoutingRules } from "./routes/routing-rules.ts";
import { registerRoutingTest } from "./routes/routing-test.ts";
import { registerSignOut } from "./routes/sign-out.ts";
import { registerStatus } from "./routes/status.ts";
import { registerUnknownProviderKeys } from "./routes/unknown-provider-keys.ts";
import { registerUsageEvents } from "./routes/usage-events.ts";
import { registerUsageRefusals } from "./routes/usage-refusals.ts";
import { registerUsageSummary } from "./routes/usage-summary.ts";

/** The one path that needs no token: the same text on every installation. */
const DOCUMENT_PATH = `${ADMIN_BASE_PATH}/openapi.json`;

/** Of a call inside the process. */
const NOBODY_REMOTE: AdminCaller = { address: null };

export interface AdminApp {
  /** Answers one request, also one that never crossed a socket. Never rejects for what a caller sent. */
  fetch(this: void, request: Request, caller?: AdminCaller): Promise<Response>;
  /** False when anybody who reaches `fetch` is let in. */
  readonly checksTokens: boolean;
  /** OpenAPI 3.1. */
  document(): ReturnType<typeof createApiDocument>;
}

/** The admin API under `/api/v1`. Pure composition: it opens nothing and needs no closing. */
export function createAdminApp(deps: AdminDeps): AdminApp {
  const router = createAdminRouter();
  registerRoutes(router, deps);
  let document: ReturnType<typeof createApiDocument> | undefined;
  const documentOnce = () => (document ??= createApiDocument(router));

  const app = new Hono<AdminEnv>();
  app.onError(createFaultHandler(deps));
  app.notFound((context) => {
    const message = `There is nothing at ${quoteInput(`${context.req.method} ${context.req.path}`)}. See ${DOCUMENT_PATH} for what there is.`;
    return refuse(context, "unknown_url", message);
  });
  app.use(async (context, next) => {
    const requestId = deps.ids.create("req");
    context.set("requestId", requestId);
    await next();
    context.header("x-keyward-request-id", requestId);
    context.header("cache-control", "no-store");
    context.header("x-content-type-options", "nosniff");
    const code = context.get("refusedWith");
    if (code === undefined || ERROR_CODES[code].log === "none") return;
    const { method, path } = context.req;
    const reason = context.get("refusedBecause");
    deps.onRefusal?.({ requestId, method, path, code, ...(reason !== undefined && { reason }) });
  });
  app.use(refuseOtherOrigins([CALLBACK_PATH]), refuseWhileAway(deps.storeWatch, DOCUMENT_PATH));
  const findRoute = createRouteFinder(router, {
    basePath: ADMIN_BASE_PATH,
    publicPath: DOCUMENT_PATH,
  });
  app.use(requireAdmin(deps.authenticator, findRoute), readJsonBody);
  app.use(requireAdminStill(deps.authenticator));
  app.use(requirePermission(findRoute, deps), nameActor(deps));
  // Anybody may ask for it: it is written once, so that asking costs next to nothing.
  let documentText: string | undefined;
  app.get(DOCUMENT_PATH, (context) => {
    documentText ??= JSON.stringify(documentOnce());
    return context.body(documentText, 200, { "content-type": "application/json" });
  });
  app.route(ADMIN_BASE_PATH, router);

  return {
    fetch: async (request, caller = NOBODY_REMOTE) => app.fetch(request, caller),
    checksTokens: deps.authenticator.checksTokens,
    document: documentOnce,
  };
}

function registerRoutes(router: AdminRouter, deps: AdminDeps): void {
  registerProjects(router, deps);
  registerEnvironments(router, deps);
  registerEnvironmentPolicy(router, deps);
  registerProviders(router, deps);
  registerProviderAccounts(router, deps);
  registerProviderAdminKeys(router, deps);
  registerProviderAccountLimits(router, deps);
  registerProviderKeys(router, deps);
  registerProviderKeyRotation(router, deps);
  registerRotations(router, deps);
  registerConfirmRevoked(router, deps);
  registerProvisions(router, deps);
  registerUnknownProviderKeys(router, deps);
  registerRoutingTest(router, deps);
  registerRoutingRules(router, deps);
  registerKeys(router, deps);
  registerKeyRotation(router, deps);
  registerKeyRevocation(router, deps);
  registerLeaks(router, deps);
  registerClientTokens(router, deps);
  registerCustomers(router, deps);
  registerBudgets(router, deps);
  registerPrices(router, deps);
  registerPriceOverrides(router, deps);
  registerUsageEvents(router, deps);
  registerUsageSummary(router, deps);
  registerUsageRefusals(router, deps);
  registerPendingUsage(router, deps);
  registerCorrections(router, deps);
  registerLimits(router, deps);
  registerAlertChannels(router, deps);
  registerAlertRules(router, deps);
  registerAlertMutes(router, deps);
  registerAlerts(router, deps);
  registerAudit(router, deps);
  registerLiveCalls(router, deps);
  registerLogin(router, deps);
  registerIdentityLogin(router, deps);
  registerMembers(router, deps);
  registerInvitations(router, deps);
  registerPasswordResets(router, deps);
  registerSignOut(router, deps);
  registerAdminTokens(router, deps);
  registerStatus(router, deps);
}
