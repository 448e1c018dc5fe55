import { AsyncLocalStorage } from "node:async_hooks";
import type {
  Act,
  AuditDraft,
  AuditEntry,
  AuditHash,
  UnchainedEntry,
} from "../../core/audit/audit-entry.ts";
import { ChainVerifier } from "../../core/audit/verify-chain.ts";
import { storableText } from "../../core/text/storable-text.ts";
import type { AuditRepository } from "../audit-repository.ts";
import type { AuditedStore, AuditVerdict } from "../audited-store.ts";
import type { Repositories, Store } from "../store.ts";
import { adminTokenActs, withAccessActs } from "./access-acts.ts";
import { withAlertActs } from "./alert-acts.ts";
import {
  customerActs,
  environmentActs,
  projectActs,
  providerAccountActs,
  providerKeyActs,
  routingRuleActs,
  vaultKeyActs,
} from "./configuration-acts.ts";
import { withExposureActs } from "./exposure-acts.ts";
import { gatewayKeyActs } from "./gateway-key-acts.ts";
import {
  budgetActs,
  correctionActs,
  limitActs,
  pendingUsageActs,
  priceOverrideActs,
} from "./money-acts.ts";
import { withRotationActs } from "./rotation-acts.ts";
import { type Within, withActs } from "./within.ts";

export interface AuditedStoreDeps {
  readonly store: Store;
  readonly hash: AuditHash;
  readonly nowMs: () => number;
}

export function createAuditedStore({ store, hash, nowMs }: AuditedStoreDeps): AuditedStore {
  const acting = new AsyncLocalStorage<Act>();

  async function append(into: Repositories, draft: AuditDraft): Promise<void> {
    const act = acting.getStore();
    if (act === undefined) throw new Error(`nobody is named who does this: ${draft.action}`);
    await into.audit.append(entryOf(draft, act, nowMs()), hash);
  }
  const own: Within = (change) => store.transaction((into) => withinOf(into)(change));
  const withinOf =
    (into: Repositories): Within =>
    (change) =>
      change(into, (draft) => append(into, draft));

  return withActs<AuditedStore>(store as AuditedStore, {
    ...auditedRepositories(store, own),
    transaction: (work) =>
      store.transaction((into) => work({ ...into, ...auditedRepositories(into, withinOf(into)) })),
    as: (act, work) => acting.run(act, work),
    note: (draft) => own((_, write) => write(draft)),
    verify: (expected) => verify(store.audit, new ChainVerifier(hash, expected)),
  });
}

async function verify(audit: AuditRepository, verifier: ChainVerifier): Promise<AuditVerdict> {
  // Before the entries: what is added meanwhile comes after it.
  const head = await audit.findHead();
  let page: readonly AuditEntry[];
  do {
    page = await audit.listFrom(verifier.last.sequence + 1, PAGE_SIZE);
    for (const entry of page) {
      const problem = verifier.accept(entry);
      if (problem !== undefined) return { last: verifier.last, problem };
      if (entry.sequence === head?.sequence) break;
    }
  } while (page.length > 0 && verifier.last.sequence < (head?.sequence ?? 0));
  return { last: verifier.last, problem: verifier.end(head) };
}

/** Small: the hashes of a page are made in one go, on the event loop that also serves calls. */
const PAGE_SIZE = 200;

/** Text as every database gives it back: the hash is of what was stored. */
function entryOf(draft: AuditDraft, act: Act, atMs: number): UnchainedEntry {
  const { actor, address, requestId } = act;
  const { target } = draft;
  return {
    ...draft,
    atMs,
    actor: { ...actor, name: storableText(actor.name) },
    address,
    requestId,
    target: { ...target, name: target.name === null ? null : storableText(target.name) },
  };
}

/** What the running system writes by itself: calls, what they took, and its own upkeep. */
type Operational =
  | "audit"
  | "usage"
  | "changes"
  | "processes"
  | "limitUses"
  | "accountViews"
  | "accountDemand";

function auditedRepositories(from: Repositories, within: Within): Omit<Repositories, Operational> {
  return {
    projects: withActs(from.projects, projectActs(within)),
    environments: withActs(from.environments, environmentActs(within)),
    providerAccounts: withActs(from.providerAccounts, providerAccountActs(within)),
    providerKeys: withActs(from.providerKeys, providerKeyActs(within)),
    routingRules: withActs(from.routingRules, routingRuleActs(within)),
    gatewayKeys: withActs(from.gatewayKeys, gatewayKeyActs(within)),
    customers: withActs(from.customers, customerActs(within)),
    adminTokens: withActs(from.adminTokens, adminTokenActs(within)),
    access: withAccessActs(from.access, within),
    vaultKeys: withActs(from.vaultKeys, vaultKeyActs(within)),
    priceOverrides: withActs(from.priceOverrides, priceOverrideActs(within)),
    corrections: withActs(from.corrections, correctionActs(within)),
    pendingUsage: withActs(from.pendingUsage, pendingUsageActs(within)),
    budgets: withActs(from.budgets, budgetActs(within)),
    alerts: withAlertActs(from.alerts, within),
    rotation: withRotationActs(from.rotation, within),
    exposure: withExposureActs(from.exposure, within),
    limits: withActs(from.limits, limitActs(within)),
  };
}
