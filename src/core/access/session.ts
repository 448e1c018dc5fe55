/** How long somebody stays logged in. */
export interface SessionLimits {
  /** Without a request. */
  readonly idleMs: number;
  /** However much it is used. */
  readonly maxMs: number;
}

const HOUR_MS = 3_600_000;
export const DEFAULT_SESSION_LIMITS: SessionLimits = { idleMs: 12 * HOUR_MS, maxMs: 168 * HOUR_MS };

export function isSessionOver(
  session: { readonly createdAtMs: number; readonly lastSeenAtMs: number },
  { idleMs, maxMs }: SessionLimits,
  nowMs: number,
): boolean {
  return nowMs - session.createdAtMs >= maxMs || nowMs - session.lastSeenAtMs >= idleMs;
}
