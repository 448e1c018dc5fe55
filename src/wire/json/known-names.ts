/**
 * A few names, to be recognised where they stand in a body's bytes: to make a text of every key in order to look it up
 * costs more than all else that is done with it.
 */
export class KnownNames {
  /** By their length in bytes. */
  readonly #byLength: (Known[] | undefined)[] = [];

  /** ASCII names; another one is not found. */
  constructor(names: Iterable<string>) {
    for (const name of names) {
      const bytes = Buffer.from(name, "utf8");
      const sameLength = this.#byLength[bytes.length];
      const known = { name, bytes };
      if (sameLength === undefined) this.#byLength[bytes.length] = [known];
      else sameLength.push(known);
    }
  }

  /**
   * The name that stands between two offsets; undefined where it is none of these. What is written with an escape is
   * not recognised: see `isPlainName`.
   */
  find(bytes: Buffer, start: number, end: number): string | undefined {
    const candidates = this.#byLength[end - start];
    if (candidates === undefined) return undefined;
    for (const known of candidates) if (standsAt(bytes, start, known.bytes)) return known.name;
    return undefined;
  }
}

interface Known {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Whether a name is written as it is read, and in lower case: the same to every decoder, however lenient. */
export function isPlainName(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] as number;
    const isUpperCase = byte >= UPPER_A && byte <= UPPER_Z;
    if (isUpperCase || byte === BACKSLASH || byte >= NOT_ASCII) return false;
  }
  return true;
}

function standsAt(bytes: Buffer, start: number, name: Buffer): boolean {
  for (let at = 0; at < name.length; at += 1) if (bytes[start + at] !== name[at]) return false;
  return true;
}

const UPPER_A = 0x41;
const UPPER_Z = 0x5a;
const BACKSLASH = 0x5c;
const NOT_ASCII = 0x80;
