import { warnedCode, type CallRule } from "../core/policy/call-policy.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Log } from "../telemetry/log.ts";
import type { Call } from "./call.ts";
import { dropOldest } from "./drop-oldest.ts";

export interface PolicyWatchDeps {
  readonly ledger: Pick<Ledger, "countRefusal">;
  readonly log: Log;
  readonly monotonicMs: () => number;
}

/** A key that breaks a rule with every call is a line of the log this often. */
const LOG_INTERVAL_MS = 10 * 60_000;
const MAX_REMEMBERED = 10_000;

/** Takes note of calls that broke a rule whose mode is `warn`: they pass, and are counted beside those that are refused. */
export class PolicyWatch {
  readonly #deps: PolicyWatchDeps;
  /** Key and rule → when it was last logged; oldest first. */
  readonly #loggedMs = new Map<string, number>();

  readonly #noted = new WeakMap<Call, ReadonlySet<CallRule>>();

  constructor(deps: PolicyWatchDeps) {
    this.#deps = deps;
  }

  /** Undefined: the call is not refused. A call that is checked again, because it had to wait, counts once. */
  note(call: Call, rule: CallRule): undefined {
    const { ledger, log } = this.#deps;
    const noted = this.#noted.get(call);
    if (noted?.has(rule) === true) return undefined;
    this.#noted.set(call, new Set([...(noted ?? []), rule]));
    const gatewayKeyId = call.key?.id ?? null;
    ledger.countRefusal({ code: warnedCode(rule), gatewayKeyId, customer: call.customer });
    if (!this.#isNews(`${gatewayKeyId} ${rule}`)) return undefined;
    const { requestId, request } = call;
    log.warn(
      { requestId, rule, gatewayKeyId, path: request.path },
      "a call broke a rule of its environment's policy, which warns and does not refuse",
    );
    return undefined;
  }

  #isNews(name: string): boolean {
    const nowMs = this.#deps.monotonicMs();
    const loggedMs = this.#loggedMs.get(name) ?? Number.NEGATIVE_INFINITY;
    if (nowMs < loggedMs + LOG_INTERVAL_MS) return false;
    this.#loggedMs.delete(name);
    this.#loggedMs.set(name, nowMs);
    dropOldest(this.#loggedMs, MAX_REMEMBERED);
    return true;
  }
}
