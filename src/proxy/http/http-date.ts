/** The text of a `date` field, made anew once a second. */
export class HttpDate {
  readonly #nowMs: () => number;
  #second = -1;
  #text = "";

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  text(): string {
    const nowMs = this.#nowMs();
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = new Date(nowMs).toUTCString();
    }
    return this.#text;
  }
}
