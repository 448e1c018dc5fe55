import type { KeyTrouble } from "../../core/alerts/alert-content.ts";
import type { ProviderKeyId } from "../../core/ids/ids.ts";
import type { ProviderKeyHealth } from "../../core/routing/provider-key-health.ts";
import type { ProviderKeyRecord } from "../../store/records.ts";
import type { CallObserver, CallReport } from "../../telemetry/call-observer.ts";

export interface ProviderKeyWatchDeps {
  readonly healthOf: (key: Pick<ProviderKeyRecord, "id" | "accountId">) => ProviderKeyHealth;
  readonly monotonicMs: () => number;
}

const MAX_KEYS = 10_000;

/** The first and the last of the failures that nothing came between. */
interface FailureRun {
  readonly sinceMs: number;
  lastMs: number;
}

/** What this process sees of provider keys: for how long each fails, and when each was used last. */
export class ProviderKeyWatch {
  readonly #deps: ProviderKeyWatchDeps;
  readonly #failures = new Map<ProviderKeyId, FailureRun>();
  readonly #uses = new Map<ProviderKeyId, number>();

  constructor(deps: ProviderKeyWatchDeps) {
    this.#deps = deps;
  }

  /** Notes uses and failures as calls end. */
  readonly observer: CallObserver = {
    callEnded: ({ event, ending }) => {
      const { providerKeyId, startedAtMs } = event;
      if (providerKeyId === null) return;
      // A client that left tells nothing of the provider.
      if (ending !== "client-gone") this.#noteOutcome(providerKeyId, event);
      if (this.#uses.size < MAX_KEYS || this.#uses.has(providerKeyId)) {
        this.#uses.set(providerKeyId, startedAtMs);
      }
    },
    callRefused: () => undefined,
  };

  /** The uses since it was last asked. What cannot be kept is given back with `restore`. */
  takeUses(): readonly { readonly id: ProviderKeyId; readonly usedAtMs: number }[] {
    const uses = [...this.#uses].map(([id, usedAtMs]) => ({ id, usedAtMs }));
    this.#uses.clear();
    return uses;
  }

  restore(uses: ReturnType<ProviderKeyWatch["takeUses"]>): void {
    for (const { id, usedAtMs } of uses) {
      this.#uses.set(id, Math.max(this.#uses.get(id) ?? 0, usedAtMs));
    }
  }

  /**
   * What is wrong with a key, if anything. Failures have to go on for a while: an open circuit alone says that there were
   * some, and stays open while nobody calls. A key that was refused, or whose account is out of money, does not mend by
   * itself.
   */
  troubleOf(key: ProviderKeyRecord, failingForMs: number): KeyTrouble | undefined {
    const { circuit, rests } = this.#deps.healthOf(key);
    const reasons = new Set(rests.map(({ reason }) => reason));
    if (reasons.has("key_refused")) return "refused";
    if (reasons.has("out_of_money")) return "out_of_money";
    const run = this.#failures.get(key.id);
    if (circuit === "closed" || run === undefined) return undefined;
    return run.lastMs - run.sinceMs >= failingForMs ? "failing" : undefined;
  }

  #noteOutcome(id: ProviderKeyId, { status, httpStatus }: CallReport["event"]): void {
    const isFailure = status === "failed" && (httpStatus === null || httpStatus >= 500);
    if (!isFailure) {
      this.#failures.delete(id);
      return;
    }
    const nowMs = this.#deps.monotonicMs();
    const run = this.#failures.get(id);
    if (run !== undefined) run.lastMs = nowMs;
    else if (this.#failures.size < MAX_KEYS) {
      this.#failures.set(id, { sinceMs: nowMs, lastMs: nowMs });
    }
  }
}
