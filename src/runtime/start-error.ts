/** Keyward cannot start, for a reason that somebody can mend. Nothing was changed. */
export class StartError extends Error {
  /** What to do next, ready to be shown below the message. */
  readonly remedy: string;

  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StartError";
    this.remedy = remedy;
  }
}
