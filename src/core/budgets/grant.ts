import { type Picos, picos, ZERO_PICOS } from "../money/picos.ts";

/** Of what is free after a process has got what it needs, at most this part is handed out on top. */
const EXTRA_DIVISOR = 16n;

export interface GrantRequest {
  /** With less than this no call can go. */
  readonly leastPicos: Picos;
  /** For the calls that wait. */
  readonly needPicos: Picos;
  /** On top of that, for calls that are expected; less of it as the budget empties. */
  readonly extraPicos: Picos;
}

/**
 * How much of a window one process gets to hold from. Never more than is free, so spent and leased stay within the
 * limit; nothing on top when little is left, so that the last calls are decided by the store and not by who got there
 * first.
 */
export function grantOf(
  window: {
    readonly limitPicos: Picos;
    readonly spentPicos: Picos;
    readonly leasedPicos: Picos;
  },
  { leastPicos, needPicos, extraPicos }: GrantRequest,
): Picos {
  const free = window.limitPicos - window.spentPicos - window.leasedPicos;
  if (free <= 0n || free < leastPicos) return ZERO_PICOS;
  if (free <= needPicos) return picos(free);
  const spare = (free - needPicos) / EXTRA_DIVISOR;
  // Less than one more call's worth would lie about in one process while another lacks it.
  if (spare < leastPicos) return needPicos;
  return picos(needPicos + (extraPicos < spare ? extraPicos : spare));
}
