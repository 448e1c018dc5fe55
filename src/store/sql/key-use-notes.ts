import type { GatewayKeyId } from "../../core/ids/ids.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";

/** A row of `gateway_key_uses`. */
export interface KeyUse {
  readonly key_id: GatewayKeyId;
  readonly used_at_ms: number;
}

export const KEEP_LATEST_USE = `on conflict (key_id) do update set used_at_ms = excluded.used_at_ms
  where gateway_key_uses.used_at_ms < excluded.used_at_ms`;

/** A key in steady use is written once in so long. */
const RESOLUTION_MS = 60_000;
/** Keys whose last note is remembered. What is forgotten is noted once more. */
const MAX_REMEMBERED = 10_000;

/**
 * Which gateway keys' last use is worth a write: a key that is called a thousand times a second was used this minute,
 * and that is all that anybody asks.
 */
export class KeyUseNotes {
  /** In order of the notes, oldest first. */
  readonly #notedMs = new Map<GatewayKeyId, number>();

  /** In the order of their keys, as every transaction locks them. */
  dueOf(events: readonly Pick<UsageEvent, "gatewayKeyId" | "startedAtMs">[]): readonly KeyUse[] {
    const latestMs = new Map<GatewayKeyId, number>();
    for (const { gatewayKeyId, startedAtMs } of events) {
      const notedMs = this.#notedMs.get(gatewayKeyId) ?? Number.NEGATIVE_INFINITY;
      const usedAtMs = Math.floor(startedAtMs);
      if (usedAtMs < notedMs + RESOLUTION_MS) continue;
      if (usedAtMs > (latestMs.get(gatewayKeyId) ?? Number.NEGATIVE_INFINITY)) {
        latestMs.set(gatewayKeyId, usedAtMs);
      }
    }
    return [...latestMs]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key_id, used_at_ms]) => ({ key_id, used_at_ms }));
  }

  /** Once they are committed: what was rolled back is due as before. */
  noted(uses: readonly KeyUse[]): void {
    for (const { key_id, used_at_ms } of uses) {
      this.#notedMs.delete(key_id);
      this.#notedMs.set(key_id, used_at_ms);
    }
    for (const id of this.#notedMs.keys()) {
      if (this.#notedMs.size <= MAX_REMEMBERED) break;
      this.#notedMs.delete(id);
    }
  }
}
