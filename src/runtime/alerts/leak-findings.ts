import { DAY_MS } from "../../core/alerts/alert-period.ts";
import { describeLeak } from "../../core/alerts/leak-content.ts";
import type { LeakedKind } from "../../core/leaks/leak.ts";
import type { AlertRuleRecord, AlertSubject } from "../../store/alert-records.ts";
import type { LeakRecord } from "../../store/exposure-repositories.ts";
import type { Store } from "../../store/store.ts";
import { type Finding, formatMinute } from "./finding.ts";

interface LeakFindingDeps {
  readonly store: Pick<Store, "exposure" | "environments">;
  readonly nowMs: number;
}

/** Leaks for which a process that was away for long still fires. */
const MAX_LEAKS = 1000;
const MAX_AGE_MS = 30 * DAY_MS;

const ORGANIZATION: AlertSubject = { kind: "organization", id: "" };

/** Of a client token nothing is left in an hour: what it is about is its customer, whose name it has. */
const SUBJECTS: Readonly<Record<LeakedKind, (leak: LeakRecord) => AlertSubject>> = {
  gatewayKey: ({ subjectId: id }) => ({ kind: "key", id }),
  providerKey: ({ subjectId: id }) => ({ kind: "providerKey", id }),
  providerAdminKey: ({ subjectId: id }) => ({ kind: "providerAccount", id }),
  adminToken: ({ subjectId: id }) => ({ kind: "adminToken", id }),
  clientToken: ({ name: id }) => ({ kind: "customer", id }),
  session: () => ORGANIZATION,
  invitation: () => ORGANIZATION,
  passwordReset: () => ORGANIZATION,
};

/** What was reported and somebody is to be told of: a period of its own for each, so that it fires once and no more. */
export async function findLeaks(
  { store, nowMs }: LeakFindingDeps,
  rule: AlertRuleRecord,
): Promise<readonly Finding[]> {
  const { rows } = await store.exposure.leaks.list({ limit: MAX_LEAKS });
  return rows.filter((leak) => isMeant(leak, rule, nowMs)).map((leak) => findingOf(store, leak));
}

function isMeant(leak: LeakRecord, { scope }: AlertRuleRecord, nowMs: number): boolean {
  if (leak.outcome === "noted" || nowMs - leak.createdAtMs > MAX_AGE_MS) return false;
  if (scope?.kind === "environment") {
    return scope.id === null ? leak.environmentId !== null : scope.id === leak.environmentId;
  }
  if (scope?.kind !== "key") return true;
  return leak.kind === "gatewayKey" && (scope.id === null || scope.id === leak.subjectId);
}

function findingOf({ environments }: Pick<Store, "environments">, leak: LeakRecord): Finding {
  const { id, kind, subjectId, environmentId, createdAtMs } = leak;
  return {
    key: { ...SUBJECTS[kind](leak), period: `leak ${id}` },
    describe: async () => {
      const environment =
        environmentId === null ? undefined : await environments.findById(environmentId);
      const facts = {
        ...leak,
        id: subjectId,
        environment: environment?.name ?? environmentId,
        reportedAtMs: createdAtMs,
      };
      return describeLeak(facts, formatMinute);
    },
  };
}
