import type { ProcessId } from "../ids/ids.ts";

interface Sighting {
  readonly heartbeatAtMs: number;
  /** When this heartbeat was first seen to be the last one. */
  readonly sinceMs: number;
}

/**
 * Tells who is really absent. A heartbeat that looks old may be no more than a clock that has jumped, or a store that
 * answered nobody for a while; so it must also stay the same while it is watched, by a clock that never jumps, without a
 * gap in the watching.
 */
export class AbsenceWatch {
  readonly #confirmMs: number;
  readonly #maxGapMs: number;
  #seen = new Map<ProcessId, Sighting>();
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  /** `maxGapMs`: after a longer pause between two looks the watching begins anew. */
  constructor(options: { readonly confirmMs: number; readonly maxGapMs: number }) {
    this.#confirmMs = options.confirmMs;
    this.#maxGapMs = options.maxGapMs;
  }

  /** Takes what was seen in one look at all suspects; those that stay silent long enough come back. */
  look<Suspect extends { readonly id: ProcessId; readonly heartbeatAtMs: number }>(
    suspects: readonly Suspect[],
    monotonicMs: number,
  ): readonly Suspect[] {
    const isGap = monotonicMs - this.#lookedAtMs > this.#maxGapMs;
    this.#lookedAtMs = monotonicMs;
    const seen = new Map<ProcessId, Sighting>();
    for (const { id, heartbeatAtMs } of suspects) {
      const before = isGap ? undefined : this.#seen.get(id);
      const isSame = before?.heartbeatAtMs === heartbeatAtMs;
      seen.set(id, isSame ? before : { heartbeatAtMs, sinceMs: monotonicMs });
    }
    this.#seen = seen;
    return suspects.filter(({ id }) => {
      const sinceMs = seen.get(id)?.sinceMs ?? monotonicMs;
      return monotonicMs - sinceMs >= this.#confirmMs;
    });
  }
}
