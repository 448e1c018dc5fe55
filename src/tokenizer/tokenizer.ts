/**
 * The tokenizer's contract: counts tokens where a provider reported none. Counting happens off the event loop.
 */
export interface TextToCount {
  /** The model whose encoding applies; an unknown one gets the newest encoding. */
  readonly model: string | null;
  readonly texts: readonly string[];
}

export interface Tokenizer {
  /** Tokens in all texts together. Never rejects for odd text; rejects when the tokenizer is closed. */
  count(request: TextToCount): Promise<number>;
  close(): Promise<void>;
}
