import type { KeyTrouble } from "../../core/alerts/alert-content.ts";
import type { ProviderKeyId } from "../../core/ids/ids.ts";
import type { ProviderKeyHealth } from "../../core/routing/provider-key-health.ts";
import type { ProviderKeyRecord } from "../../store/records.ts";
import type { CallObserver } from "../../telemetry/call-observer.ts";

export interface ProviderKeyWatchDeps {
  readonly healthOf: (key: Pick<ProviderKeyRecord, "id" | "accountId">) => ProviderKeyHealth;
  readonly monotonicMs: () => number;
}

const MAX_KEYS = 10_000;

/** What this process sees of provider keys: since when each fails, and when each was used last. */
export class ProviderKeyWatch {
  readonly #deps: ProviderKeyWatchDeps;
  readonly #failingSinceMs = new Map<ProviderKeyId, number>();
  readonly #uses = new Map<ProviderKeyId, number>();

  constructor(deps: ProviderKeyWatchDeps) {
    this.#deps = deps;
  }

  /** Notes uses as calls end. */
  readonly observer: CallObserver = {
    callEnded: ({ event: { providerKeyId, startedAtMs } }) => {
      if (providerKeyId === null) return;
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
   * What is wrong with a key, if anything: to be asked often. A circuit that is not closed has to stay so for a while; a
   * key that was refused, or whose account is out of money, does not mend by itself.
   */
  troubleOf(key: ProviderKeyRecord, failingForMs: number): KeyTrouble | undefined {
    const { circuit, rests } = this.#deps.healthOf(key);
    const reasons = new Set(rests.map(({ reason }) => reason));
    if (reasons.has("key_refused")) return "refused";
    if (reasons.has("out_of_money")) return "out_of_money";
    const nowMs = this.#deps.monotonicMs();
    if (circuit === "closed") {
      this.#failingSinceMs.delete(key.id);
      return undefined;
    }
    const sinceMs = this.#failingSinceMs.get(key.id) ?? nowMs;
    if (this.#failingSinceMs.size < MAX_KEYS) this.#failingSinceMs.set(key.id, sinceMs);
    return nowMs - sinceMs >= failingForMs ? "failing" : undefined;
  }
}
