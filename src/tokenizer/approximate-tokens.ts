/** Bytes of UTF-8 per token: prose has four and more, source code and most scripts about three. */
const BYTES_PER_TOKEN = 3;

/**
 * Tokens by the texts' length alone, where counting is not possible or not worth its time. Errs on the high side for
 * prose: what is approximated here is money, and a budget must not be exceeded.
 */
export function approximateTokens(texts: readonly string[]): number {
  let bytes = 0;
  for (const text of texts) bytes += Buffer.byteLength(text, "utf8");
  return approximateTokensOf(bytes);
}

/** Of text that is no longer there, only how many bytes it had. */
export function approximateTokensOf(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}
