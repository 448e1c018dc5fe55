/**
 * Every noun of the command line, in the order of the help. A noun's commands are loaded when one of them is asked
 * for, so that the client starts fast however many there are.
 */
import type { NounCommands } from "./command.ts";

export interface Noun {
  readonly name: string;
  readonly group: "Gateway" | "Access" | "Money" | "Secrets" | "Shell";
  readonly summary: string;
  load(): Promise<NounCommands>;
}

export const NOUNS: readonly Noun[] = [
  {
    name: "start",
    group: "Gateway",
    summary: "start the gateway",
    load: async () => (await import("./commands/start.ts")).start,
  },
  {
    name: "status",
    group: "Gateway",
    summary: "say what is there and whether it runs",
    load: async () => (await import("./commands/status.ts")).status,
  },
  {
    name: "tail",
    group: "Gateway",
    summary: "show calls as they end",
    load: async () => (await import("./commands/tail.ts")).tail,
  },
  {
    name: "doctor",
    group: "Gateway",
    summary: "check that everything is as it should be",
    load: async () => (await import("./commands/doctor.ts")).doctor,
  },
  {
    name: "simulator",
    group: "Gateway",
    summary: "run the built-in provider by itself",
    load: async () => (await import("./commands/simulator.ts")).simulator,
  },
  {
    name: "projects",
    group: "Access",
    summary: "applications of the team",
    load: async () => (await import("./commands/projects.ts")).projects,
  },
  {
    name: "environments",
    group: "Access",
    summary: "development, staging, production and your own",
    load: async () => (await import("./commands/environments.ts")).environments,
  },
  {
    name: "keys",
    group: "Access",
    summary: "gateway keys: what applications call with",
    load: async () => (await import("./commands/keys.ts")).keys,
  },
  {
    name: "customers",
    group: "Access",
    summary: "tenants whose usage is told apart",
    load: async () => (await import("./commands/customers.ts")).customers,
  },
  {
    name: "limits",
    group: "Access",
    summary: "how much may be called a minute and at a time",
    load: async () => (await import("./commands/limits.ts")).limits,
  },
  {
    name: "usage",
    group: "Money",
    summary: "what was called, by whom, and what it cost",
    load: async () => (await import("./commands/usage.ts")).usage,
  },
  {
    name: "budgets",
    group: "Money",
    summary: "limits on what calls may cost",
    load: async () => (await import("./commands/budgets.ts")).budgets,
  },
  {
    name: "estimate",
    group: "Money",
    summary: "say what a call would cost",
    load: async () => (await import("./commands/estimate.ts")).estimate,
  },
  {
    name: "prices",
    group: "Money",
    summary: "what providers charge",
    load: async () => (await import("./commands/prices.ts")).prices,
  },
  {
    name: "alerts",
    group: "Money",
    summary: "what fired, who has seen it, what is muted",
    load: async () => (await import("./commands/alerts.ts")).alerts,
  },
  {
    name: "alert-rules",
    group: "Money",
    summary: "what is worth an alert",
    load: async () => (await import("./commands/alert-rules.ts")).alertRules,
  },
  {
    name: "alert-channels",
    group: "Money",
    summary: "where alerts are sent",
    load: async () => (await import("./commands/alert-channels.ts")).alertChannels,
  },
  {
    name: "audit",
    group: "Access",
    summary: "what was changed by hand, by whom, and whether that log is whole",
    load: async () => (await import("./commands/audit.ts")).audit,
  },
  {
    name: "client-tokens",
    group: "Access",
    summary: "what pages in browsers call with, for minutes",
    load: async () => (await import("./commands/client-tokens.ts")).clientTokens,
  },
  {
    name: "leaks",
    group: "Access",
    summary: "keys that were found where they should not be",
    load: async () => (await import("./commands/leaks.ts")).leaks,
  },
  {
    name: "providers",
    group: "Secrets",
    summary: "providers that Keyward knows",
    load: async () => (await import("./commands/providers.ts")).providers,
  },
  {
    name: "provider-accounts",
    group: "Secrets",
    summary: "accounts at providers",
    load: async () => (await import("./commands/provider-accounts.ts")).providerAccounts,
  },
  {
    name: "provider-keys",
    group: "Secrets",
    summary: "providers' secrets, in the vault",
    load: async () => (await import("./commands/provider-keys.ts")).providerKeys,
  },
  {
    name: "rotations",
    group: "Secrets",
    summary: "provider keys that get another secret",
    load: async () => (await import("./commands/rotations.ts")).rotations,
  },
  {
    name: "provision",
    group: "Secrets",
    summary: "have a provider make a project and a key for an environment",
    load: async () => (await import("./commands/provision.ts")).provision,
  },
  {
    name: "provisions",
    group: "Secrets",
    summary: "what providers make for new environments, and how far that has come",
    load: async () => (await import("./commands/provisions.ts")).provisions,
  },
  {
    name: "routing-rules",
    group: "Secrets",
    summary: "which account or provider takes which model",
    load: async () => (await import("./commands/routing-rules.ts")).routingRules,
  },
  {
    name: "backup",
    group: "Secrets",
    summary: "copies of the database, and the way back",
    load: async () => (await import("./commands/backup.ts")).backup,
  },
  {
    name: "vault",
    group: "Secrets",
    summary: "the root key",
    load: async () => (await import("./commands/vault.ts")).vault,
  },
  {
    name: "members",
    group: "Secrets",
    summary: "who may administer, and what they may do",
    load: async () => (await import("./commands/members.ts")).members,
  },
  {
    name: "owner-link",
    group: "Secrets",
    summary: "a link for the first owner, and for one who is locked out",
    load: async () => (await import("./commands/owner-link.ts")).ownerLink,
  },
  {
    name: "admin-tokens",
    group: "Secrets",
    summary: "tokens of programs for the admin API",
    load: async () => (await import("./commands/admin-tokens.ts")).adminTokens,
  },
  {
    name: "admin-token",
    group: "Secrets",
    summary: "what the admin API is asked with",
    load: async () => (await import("./commands/admin-token.ts")).adminToken,
  },
  {
    name: "completion",
    group: "Shell",
    summary: "print the completion script of a shell",
    load: async () => (await import("./commands/completion.ts")).completion,
  },
];
