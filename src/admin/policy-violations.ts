import type { EnvironmentId } from "../core/ids/ids.ts";
import type { Ownership } from "../core/keys/ownership.ts";
import {
  CODE_OF_RULE,
  isWarnedCode,
  warnedCode,
  type CallRule,
} from "../core/policy/call-policy.ts";
import type { PolicyRule, RuleMode } from "../core/policy/environment-policy.ts";
import type { EnvironmentRecord, ProviderKeyRecord } from "../store/records.ts";
import type { Store } from "../store/store.ts";
import { judgeProviderKey } from "./judge-provider-key.ts";

export interface PolicyViolation {
  readonly rule: PolicyRule;
  /** Whether it is refused. */
  readonly mode: Exclude<RuleMode, "off">;
  readonly subject: {
    readonly kind: "providerKey" | "key";
    readonly id: string;
    readonly name: string;
  };
  readonly message: string;
  /** Of the last day; null where it is not calls that break the rule. */
  readonly calls: number | null;
}

type ReadStore = Pick<
  Store,
  "environments" | "providerAccounts" | "providerKeys" | "gatewayKeys" | "usage" | "rotation"
>;

const DAY_MS = 86_400_000;
const CALL_RULES = Object.keys(CODE_OF_RULE) as CallRule[];
/** `model_not_allowed` and others are a key's own limits as well: what was refused is told apart by nothing. */
const COUNTED_REFUSED: readonly CallRule[] = ["no_browser_calls"];

/** What breaks an environment's policy now: provider keys that are in it, and calls of the last day. */
export async function findViolations(
  store: ReadStore,
  environment: EnvironmentRecord,
  nowMs: number,
): Promise<readonly PolicyViolation[]> {
  const keys = await store.providerKeys.listActive(environment.id);
  const facts = await store.rotation.keyFacts.ofAll(keys.map(({ id }) => id));
  const ofKeys = await Promise.all(
    keys.map((key) => findInKey(store, environment, key, facts.get(key.id)?.ownership)),
  );
  return [...ofKeys.flat(), ...(await findCalls(store, environment.id, nowMs))];
}

async function findInKey(
  store: ReadStore,
  environment: EnvironmentRecord,
  key: ProviderKeyRecord,
  ownership: Ownership | undefined,
): Promise<readonly PolicyViolation[]> {
  const subject = { kind: "providerKey", id: key.id, name: key.name } as const;
  const broken = await judgeProviderKey(store, environment, key, ownership);
  return broken.map((one) => ({ ...one, subject, calls: null }));
}

async function findCalls(
  store: ReadStore,
  environmentId: EnvironmentId,
  nowMs: number,
): Promise<readonly PolicyViolation[]> {
  const ruleOf = new Map<string, CallRule>([
    ...CALL_RULES.map((rule) => [warnedCode(rule), rule] as const),
    ...COUNTED_REFUSED.map((rule) => [CODE_OF_RULE[rule], rule] as const),
  ]);
  const sinceMs = nowMs - DAY_MS;
  const counts = await store.usage.countRefusalsByKey([...ruleOf.keys()], sinceMs, environmentId);
  const violations: PolicyViolation[] = [];
  for (const { code, gatewayKeyId, count } of counts) {
    const key = await store.gatewayKeys.findById(gatewayKeyId);
    const rule = ruleOf.get(code);
    if (key === undefined || rule === undefined) continue;
    const isWarned = isWarnedCode(code);
    violations.push({
      rule,
      mode: isWarned ? "warn" : "enforce",
      subject: { kind: "key", id: key.id, name: key.name },
      message: `${count} calls of the last day ${isWarned ? "broke the rule and passed" : "were refused"}.`,
      calls: count,
    });
  }
  return violations;
}
