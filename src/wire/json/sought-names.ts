import { KnownNames } from "./known-names.ts";

/**
 * The members that a scan looks for, in lower case: those that are wanted, and those `besides` of which another reader
 * wants to know the places. Made once for all bodies of a kind.
 */
export class SoughtNames {
  readonly #wanted: ReadonlySet<string>;
  readonly #besides: ReadonlySet<string>;
  readonly #known: KnownNames;

  constructor(wanted: Iterable<string>, besides: Iterable<string> = []) {
    this.#wanted = new Set(wanted);
    this.#besides = new Set(besides);
    this.#known = new KnownNames(new Set([...this.#wanted, ...this.#besides]));
  }

  /** The name that stands between two offsets; undefined where it is none of these. */
  find(bytes: Buffer, start: number, end: number): string | undefined {
    return this.#known.find(bytes, start, end);
  }

  isWanted(name: string): boolean {
    return this.#wanted.has(name);
  }

  isSought(name: string): boolean {
    return this.#wanted.has(name) || this.#besides.has(name);
  }
}
