/** What of a request tells how many tokens it will take. */
export interface TokenFacts {
  /** Of the request's body; null where it is streamed and its size does not matter. */
  readonly bodyBytes: number | null;
  /** The largest output that the request allows; null where it names none. */
  readonly maxOutputTokens: number | null;
  /** How many answers it asks for. */
  readonly choices: number;
}

/** English text has about four bytes a token, and JSON around it. */
const BYTES_A_TOKEN = 4;
/** Where the request leaves the output to the model: more than most answers have. */
const DEFAULT_OUTPUT_TOKENS = 1_000;

/**
 * What a call is taken to use of a limit on tokens, until it has ended and what it used is known. Too high an estimate
 * is given back then, too low a one is made up for: it decides how early a burst is stopped, not how much is used.
 */
export function estimateTokens({ bodyBytes, maxOutputTokens, choices }: TokenFacts): number {
  const input = Math.ceil((bodyBytes ?? 0) / BYTES_A_TOKEN);
  return input + (maxOutputTokens ?? DEFAULT_OUTPUT_TOKENS) * Math.max(1, choices);
}
