/** A secret that was a gateway key's own until another took its place. Times in ms since the epoch. */
export interface SupersededSecret {
  readonly supersededAtMs: number;
  /** It is refused from then on. */
  readonly validUntilMs: number;
  /** `withdrawn`: it was the new one of a rotation that was taken back. */
  readonly reason: SupersessionReason;
}

export type SupersessionReason = "replaced" | "withdrawn";

/** Longer is no overlap: whoever has the old secret has a key. */
export const MAX_OVERLAP_SECONDS = 90 * 24 * 3600;
export const DEFAULT_OVERLAP_SECONDS = 24 * 3600;
