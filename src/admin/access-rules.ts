/**
 * Who may call which route, in one place. A route without a rule here answers nobody.
 */
import type { Permission } from "../core/access/permission.ts";

/** Where a request says which environment it is about. What names none is about all of them. */
export type EnvironmentPlace =
  /** `environment`. */
  | "query.environment"
  | "body.environment"
  /** `key`, by its id. */
  | "body.gatewayKey"
  /** `scopeKind` and `scopeId`. */
  | "query.scope"
  /** `scope`. */
  | "body.scope"
  /** What the id in the path is of. */
  | "path.environment"
  | "path.providerKey"
  | "path.rotation"
  | "path.routingRule"
  | "path.gatewayKey"
  | "path.limit"
  | "path.budget";

export interface PermissionRule {
  readonly permission: Permission;
  /**
   * `shared`: it is of no environment. `organization`: it is of all environments together, and nothing for those who are
   * bound to some. Else where its environment is found.
   */
  readonly about: "shared" | "organization" | EnvironmentPlace;
}

/** `public`: needs no token. `anybody`: needs one, and nothing more. */
export type AccessRule = "public" | "anybody" | PermissionRule;

const rule = (permission: Permission, about: PermissionRule["about"]): PermissionRule => ({
  permission,
  about,
});

/** By `operationId`. */
export const ACCESS_RULES: Readonly<Record<string, AccessRule>> = {
  listProjects: rule("projects:read", "shared"),
  createProject: rule("projects:write", "organization"),
  listEnvironments: rule("environments:read", "shared"),
  createEnvironment: rule("environments:write", "organization"),
  updateEnvironment: rule("policy:write", "path.environment"),
  getEnvironmentPolicy: rule("environments:read", "path.environment"),
  updateEnvironmentPolicy: rule("policy:write", "path.environment"),

  listProviders: rule("provider-accounts:read", "shared"),
  listProviderAccounts: rule("provider-accounts:read", "shared"),
  createProviderAccount: rule("provider-accounts:write", "organization"),
  getProviderAccount: rule("provider-accounts:read", "shared"),
  getProviderAccountLimits: rule("provider-accounts:read", "organization"),
  listProviderKeys: rule("provider-keys:read", "query.environment"),
  createProviderKey: rule("provider-keys:write", "body.environment"),
  getProviderKey: rule("provider-keys:read", "path.providerKey"),
  updateProviderKey: rule("provider-keys:write", "path.providerKey"),
  revokeProviderKey: rule("provider-keys:write", "path.providerKey"),
  rotateProviderKey: rule("provider-keys:write", "path.providerKey"),
  listProviderKeyUsers: rule("provider-keys:read", "path.providerKey"),
  updateProviderAdminKey: rule("provider-accounts:write", "organization"),
  getProviderAdminKey: rule("provider-accounts:read", "organization"),
  listUnknownProviderKeys: rule("provider-accounts:read", "organization"),
  removeProviderAdminKey: rule("provider-accounts:write", "organization"),

  listRotations: rule("provider-keys:read", "organization"),
  getRotation: rule("provider-keys:read", "path.rotation"),
  retryRotation: rule("provider-keys:write", "path.rotation"),
  cancelRotation: rule("provider-keys:write", "path.rotation"),
  revokeOldSecret: rule("provider-keys:write", "path.rotation"),
  confirmOldSecretRevoked: rule("provider-keys:write", "path.rotation"),

  listProvisions: rule("provider-accounts:read", "organization"),
  getProvision: rule("provider-accounts:read", "organization"),
  createProvision: rule("provider-accounts:write", "organization"),
  planProvision: rule("provider-accounts:write", "organization"),
  retryProvision: rule("provider-accounts:write", "organization"),
  cancelProvision: rule("provider-accounts:write", "organization"),

  testRouting: rule("routing:read", "query.environment"),
  listRoutingRules: rule("routing:read", "query.environment"),
  createRoutingRule: rule("routing:write", "body.environment"),
  getRoutingRule: rule("routing:read", "path.routingRule"),
  updateRoutingRule: rule("routing:write", "path.routingRule"),
  removeRoutingRule: rule("routing:write", "path.routingRule"),

  listKeys: rule("keys:read", "query.environment"),
  createKey: rule("keys:write", "body.environment"),
  getKey: rule("keys:read", "path.gatewayKey"),
  updateKey: rule("keys:write", "path.gatewayKey"),
  rotateKey: rule("keys:write", "path.gatewayKey"),
  cancelKeyRotation: rule("keys:write", "path.gatewayKey"),
  endKeyOverlap: rule("keys:write", "path.gatewayKey"),
  revokeKey: rule("keys:write", "path.gatewayKey"),
  revokeKeys: rule("keys:write", "body.environment"),
  /** Whoever finds a key has none of ours to say so with. */
  reportLeaks: "public",
  reportGithubLeaks: "public",
  createClientToken: rule("client-tokens:write", "body.gatewayKey"),
  revokeClientTokens: rule("client-tokens:write", "body.environment"),
  listLeaks: rule("keys:read", "organization"),

  listCustomers: rule("customers:read", "shared"),
  createCustomer: rule("customers:write", "shared"),
  getCustomer: rule("customers:read", "shared"),

  listBudgets: rule("budgets:read", "query.scope"),
  createBudget: rule("budgets:write", "body.scope"),
  getBudget: rule("budgets:read", "path.budget"),
  listBudgetWindows: rule("budgets:read", "path.budget"),
  updateBudget: rule("budgets:write", "path.budget"),
  increaseBudget: rule("budgets:write", "path.budget"),
  endBudgetIncrease: rule("budgets:write", "path.budget"),
  pauseBudget: rule("budgets:write", "path.budget"),
  resumeBudget: rule("budgets:write", "path.budget"),
  archiveBudget: rule("budgets:write", "path.budget"),

  listLimits: rule("limits:read", "query.scope"),
  createLimit: rule("limits:write", "body.scope"),
  getLimit: rule("limits:read", "path.limit"),
  updateLimit: rule("limits:write", "path.limit"),
  removeLimit: rule("limits:write", "path.limit"),

  listPrices: rule("prices:read", "shared"),
  estimatePrice: rule("prices:read", "shared"),
  listPriceOverrides: rule("prices:read", "shared"),
  createPriceOverride: rule("prices:write", "organization"),
  endPriceOverride: rule("prices:write", "organization"),

  listUsageEvents: rule("usage:read", "query.environment"),
  exportUsageEvents: rule("usage:read", "query.environment"),
  getUsageSummary: rule("usage:read", "query.environment"),
  watchCalls: rule("usage:read", "query.environment"),
  listUsageRefusals: rule("usage:read", "organization"),
  listPendingUsage: rule("usage:read", "organization"),
  retryPendingUsage: rule("usage:write", "organization"),
  listCorrections: rule("usage:read", "organization"),
  repriceUsage: rule("usage:write", "organization"),

  listAlerts: rule("alerts:read", "organization"),
  getAlert: rule("alerts:read", "organization"),
  acknowledgeAlert: rule("alerts:write", "organization"),
  retryAlert: rule("alerts:write", "organization"),
  listAlertMutes: rule("alerts:read", "organization"),
  createAlertMute: rule("alerts:write", "organization"),
  endAlertMute: rule("alerts:write", "organization"),
  listAlertRules: rule("alerts:read", "organization"),
  getAlertRule: rule("alerts:read", "organization"),
  createAlertRule: rule("alert-rules:write", "organization"),
  updateAlertRule: rule("alert-rules:write", "organization"),
  removeAlertRule: rule("alert-rules:write", "organization"),
  listAlertChannels: rule("alerts:read", "organization"),
  getAlertChannel: rule("alerts:read", "organization"),
  createAlertChannel: rule("alert-rules:write", "organization"),
  updateAlertChannel: rule("alert-rules:write", "organization"),
  removeAlertChannel: rule("alert-rules:write", "organization"),
  testAlertChannel: rule("alert-rules:write", "organization"),

  listAuditEntries: rule("audit:read", "organization"),
  getAuditEntry: rule("audit:read", "organization"),
  verifyAudit: rule("audit:read", "organization"),
  exportAudit: rule("audit:read", "organization"),
  logIn: "public",
  beginIdentityLogin: "public",
  finishIdentityLogin: "public",
  acceptInvitation: "public",
  acceptPasswordReset: "public",
  logOut: "anybody",
  getMe: "anybody",
  updateMyPassword: "anybody",
  listSessions: "anybody",
  revokeSession: "anybody",
  revokeSessions: "anybody",
  /** Anybody's own; for others' they ask for `tokens:read` and `tokens:write`. */
  createAdminToken: "anybody",
  listAdminTokens: "anybody",
  revokeAdminToken: "anybody",
  listMembers: rule("members:read", "organization"),
  getMember: rule("members:read", "organization"),
  updateMember: rule("members:write", "organization"),
  removeMember: rule("members:write", "organization"),
  createPasswordReset: rule("members:write", "organization"),
  revokeMemberSessions: rule("members:write", "organization"),
  listInvitations: rule("members:read", "organization"),
  createInvitation: rule("members:write", "organization"),
  revokeInvitation: rule("members:write", "organization"),

  getStatus: rule("status:read", "organization"),
};
