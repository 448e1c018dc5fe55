/** Knows whether the store answers: somebody asks it all the time, with a deadline. */
export interface StoreWatch {
  isAway(): boolean;
  /** Calls back once, when the store goes away; the result takes that back. */
  onAway(listener: () => void): () => void;
  /** Whether it is away, by the answer to the next question. Within that question's deadline. */
  confirm(): Promise<boolean>;
}
