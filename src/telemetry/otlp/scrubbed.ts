import { scrubSecrets } from "../scrub-secrets.ts";

/** Names that callers send come again and again: models, customers, features. */
const MAX_REMEMBERED = 1_000;

/** Takes out what looks like a secret, and remembers what it has looked at: a look costs microseconds. */
export class Scrubbed {
  readonly #known = new Map<string, string>();

  of(text: string): string {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const scrubbed = scrubSecrets(text);
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.set(text, scrubbed);
    return scrubbed;
  }
}
