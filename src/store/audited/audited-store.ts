import { AsyncLocalStorage } from "node:async_hooks";
import type { Act, AuditDraft, AuditHash, UnchainedEntry } from "../../core/audit/audit-entry.ts";
import { ChainVerifier } from "../../core/audit/verify-chain.ts";
import { storableText } from "../../core/text/storable-text.ts";
import type { AuditedStore } from "../audited-store.ts";
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
import { LogWalk } from "./log-walk.ts";
import { type AuditMarkPlace, MarkKeeper } from "./mark-keeper.ts";
import {
  budgetActs,
  correctionActs,
  limitActs,
  pendingUsageActs,
  priceOverrideActs,
} from "./money-acts.ts";
import { withRotationActs } from "./rotation-acts.ts";
import { verifyLog } from "./verify-log.ts";
import { type Within, withActs } from "./within.ts";

export interface AuditedStoreDeps {
  readonly store: Store;
  readonly hash: AuditHash;
  readonly nowMs: () => number;
  /** Where it is kept how far the log has come. */
  readonly markPlace?: AuditMarkPlace | undefined;
}

export function createAuditedStore(deps: AuditedStoreDeps): AuditedStore {
  const { store, hash, nowMs } = deps;
  const marks = new MarkKeeper({ audit: store.audit, hash, place: deps.markPlace });
  const walk = new LogWalk(store.audit, hash);
  const acting = new AsyncLocalStorage<Act>();

  async function append(into: Repositories, draft: AuditDraft): Promise<void> {
    const act = acting.getStore();
    if (act === undefined) throw new Error(`nobody is named who does this: ${draft.action}`);
    await into.audit.append(entryOf(draft, act, nowMs()), hash);
  }
  const own: Within = (change) => marked((into, onEntry) => withinOf(into, onEntry)(change));
  const withinOf =
    (into: Repositories, onEntry: () => void): Within =>
    (change) =>
      change(into, async (draft) => {
        await append(into, draft);
        onEntry();
      });

  async function marked<Result>(
    work: (into: Repositories, onEntry: () => void) => Promise<Result>,
  ): Promise<Result> {
    let hasEntry = false;
    const result = await store.transaction((into) =>
      work(into, () => {
        hasEntry = true;
      }),
    );
    if (hasEntry) await marks.moveOn();
    return result;
  }

  const note = (draft: AuditDraft): Promise<void> => own((_, write) => write(draft));

  return withActs<AuditedStore>(store as AuditedStore, {
    ...auditedRepositories(store, own),
    transaction: (work) =>
      marked((into, onEntry) =>
        work({ ...into, ...auditedRepositories(into, withinOf(into, onEntry)) }),
      ),
    as: (act, work) => acting.run(act, work),
    note,
    verify: async (expected) => {
      const chain = await verifyLog(store.audit, new ChainVerifier(hash, expected));
      const { mark, problem } = await marks.check();
      return { ...chain, problem: chain.problem ?? problem, mark };
    },
    followLog: async () => {
      await marks.moveOn();
      await walk.step();
      const { mark, problem } = await marks.check();
      return { mark, problem: problem ?? walk.found };
    },
    inspectLog: async () => (await marks.check()).problem ?? walk.found,
    acceptLog: async () => {
      const { mark, problem } = await marks.check();
      const head = await store.audit.findHead();
      await note({
        action: "auditLog.accepted",
        target: { kind: "auditLog", id: "auditLog", name: null },
        environmentId: null,
        before: JSON.stringify({ known: mark ?? null, fault: problem?.fault ?? null }),
        after: JSON.stringify({ end: head?.sequence ?? 0, hash: head?.hash ?? "" }),
      });
      await marks.startOver();
    },
  });
}

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
