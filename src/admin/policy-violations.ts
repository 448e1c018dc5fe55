import type { Ownership } from "../core/keys/ownership.ts";
import {
  CODE_OF_RULE,
  compileCallPolicy,
  isWarnedCode,
  warnedCode,
  type CallPolicy,
  type CallRule,
} from "../core/policy/call-policy.ts";
import {
  type PolicyRule,
  resolvePolicy,
  type RuleMode,
} from "../core/policy/environment-policy.ts";
import { counted } from "../core/text/counted.ts";
import type { ProviderRegistry } from "../providers/provider.ts";
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

interface ViolationDeps {
  readonly store: Pick<
    Store,
    "environments" | "providerAccounts" | "providerKeys" | "gatewayKeys" | "usage" | "rotation"
  >;
  readonly providers: Pick<ProviderRegistry, "find">;
}

const DAY_MS = 86_400_000;
const CALL_RULES = Object.keys(CODE_OF_RULE) as CallRule[];
/** Only the environment's rule refuses with its code; the others' are those of a key's own limits as well. */
const REFUSES_ALONE: CallRule = "no_browser_calls";
/** Where a rule stands in the policy that holds, and whether it refuses. */
const PART_OF_RULE = {
  allowed_ips: "ips",
  allowed_models: "models",
  allowed_endpoints: "endpoints",
  max_output_tokens: "output",
} as const satisfies Record<Exclude<CallRule, typeof REFUSES_ALONE>, keyof CallPolicy>;

/** What breaks an environment's policy now: provider keys that are in it, and calls of the last day. */
export async function findViolations(
  deps: ViolationDeps,
  environment: EnvironmentRecord,
  nowMs: number,
): Promise<readonly PolicyViolation[]> {
  const { store } = deps;
  const keys = await store.providerKeys.listActive(environment.id);
  const facts = await store.rotation.keyFacts.ofAll(keys.map(({ id }) => id));
  const ofKeys = await Promise.all(
    keys.map((key) => findInKey(deps, environment, key, facts.get(key.id)?.ownership)),
  );
  return [...ofKeys.flat(), ...(await findCalls(store, environment, nowMs))];
}

async function findInKey(
  deps: ViolationDeps,
  environment: EnvironmentRecord,
  key: ProviderKeyRecord,
  ownership: Ownership | undefined,
): Promise<readonly PolicyViolation[]> {
  const subject = { kind: "providerKey", id: key.id, name: key.name } as const;
  const broken = await judgeProviderKey(deps, environment, key, ownership);
  return broken.map((one) => ({ ...one, subject, calls: null }));
}

async function findCalls(
  store: ViolationDeps["store"],
  environment: EnvironmentRecord,
  nowMs: number,
): Promise<readonly PolicyViolation[]> {
  const ruleOf = new Map<string, CallRule>([
    ...CALL_RULES.map((rule) => [warnedCode(rule), rule] as const),
    ...rulesThatRefuse(environment).map((rule) => [CODE_OF_RULE[rule], rule] as const),
  ]);
  const sinceMs = nowMs - DAY_MS;
  const counts = await store.usage.countRefusalsByKey([...ruleOf.keys()], sinceMs, environment.id);
  const violations: PolicyViolation[] = [];
  for (const { code, gatewayKeyId, count } of counts) {
    const key = await store.gatewayKeys.findById(gatewayKeyId);
    const rule = ruleOf.get(code);
    if (key === undefined || rule === undefined) continue;
    const isWarned = isWarnedCode(code);
    const said = `${counted(count, "call")} of the last day ${isWarned ? "broke the rule and passed" : `${count === 1 ? "was" : "were"} refused`}`;
    const orElse = isWarned || rule === REFUSES_ALONE ? "" : ", by it or by the key's own limits";
    violations.push({
      rule,
      mode: isWarned ? "warn" : "enforce",
      subject: { kind: "key", id: key.id, name: key.name },
      message: `${said}${orElse}.`,
      calls: count,
    });
  }
  return violations;
}

/** Besides the one about browsers, whose refusals are there whatever it has become since, those that refuse as the policy is now. */
function rulesThatRefuse({ kind, policy }: EnvironmentRecord): readonly CallRule[] {
  const compiled = compileCallPolicy(resolvePolicy(kind, policy));
  const rules = Object.entries(PART_OF_RULE) as [keyof typeof PART_OF_RULE, keyof CallPolicy][];
  const refusing = rules.filter(([, part]) => {
    const found = compiled?.[part];
    return found != null && typeof found !== "string" && found.mode === "enforce";
  });
  return [REFUSES_ALONE, ...refusing.map(([rule]) => rule)];
}
