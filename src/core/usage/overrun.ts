/** How long a provider is taken to go on after its stream was cut: the way there, and the time to notice. */
export const DEFAULT_OVERRUN_MS = 250;

/**
 * Output tokens that a provider has made and that nobody has seen, of a stream that was cut: at the stream's own pace, for
 * so long, and no more than came before the cut, nor than the request's limit leaves. An estimate, so that what is charged
 * for what was under way is neither nothing nor all that the call could have cost.
 */
export function overrunTokens(
  cut: {
    readonly deliveredTokens: number;
    /** From the stream's first byte to the cut. */
    readonly streamMs: number;
    /** The request's limit on the output; null: none. */
    readonly maxOutputTokens: number | null;
  },
  overrunMs: number,
): number {
  const { deliveredTokens, streamMs, maxOutputTokens } = cut;
  const atPace = Math.ceil((deliveredTokens * overrunMs) / Math.max(1, streamMs));
  const left = (maxOutputTokens ?? Number.POSITIVE_INFINITY) - deliveredTokens;
  return Math.max(0, Math.min(atPace, deliveredTokens, left));
}
