import { KnownNames } from "./known-names.ts";

/** A top-level name that is looked for. */
export interface SoughtName {
  readonly name: string;
  /** False for one that is looked for besides. */
  readonly isWanted: boolean;
}

/**
 * The members that a scan looks for, in lower case: those that are wanted, and those `besides` of which another reader
 * wants to know the places. Made once for all bodies of a kind.
 */
export class SoughtNames {
  readonly #names: KnownNames;
  readonly #byName = new Map<string, SoughtName>();

  constructor(wanted: Iterable<string>, besides: Iterable<string> = []) {
    for (const name of besides) this.#byName.set(name, { name, isWanted: false });
    for (const name of wanted) this.#byName.set(name, { name, isWanted: true });
    this.#names = new KnownNames(this.#byName.keys());
  }

  /** The one that is written, without an escape, between two offsets. */
  find(bytes: Buffer, start: number, end: number): SoughtName | undefined {
    const name = this.#names.find(bytes, start, end);
    return name === undefined ? undefined : this.#byName.get(name);
  }

  get(name: string): SoughtName | undefined {
    return this.#byName.get(name);
  }
}
