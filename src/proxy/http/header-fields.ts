/** A request's header fields in the order in which they came. */
export class HeaderFields {
  /** In lower case. */
  readonly names: string[] = [];
  /** The bytes of each as Latin-1, without the blanks around them. */
  readonly values: string[] = [];
  /** Of which lengths there are names, and of which there are several; a bit for each. Most that is asked for is not there. */
  #lengths = 0;
  #severalLengths = 0;

  static from(fields: Readonly<Record<string, string>>): HeaderFields {
    const headers = new HeaderFields();
    for (const [name, value] of Object.entries(fields)) headers.add(name.toLowerCase(), value);
    return headers;
  }

  get count(): number {
    return this.names.length;
  }

  add(name: string, value: string): void {
    const bit = lengthBit(name);
    this.#severalLengths |= this.#lengths & bit;
    this.#lengths |= bit;
    this.names.push(name);
    this.values.push(value);
  }

  has(name: string): boolean {
    return (this.#lengths & lengthBit(name)) !== 0 && this.names.includes(name);
  }

  /** The value of a name in lower case; of a field that came more than once all of them, as RFC 9110 section 5.3 joins them. */
  get(name: string): string | undefined {
    const bit = lengthBit(name);
    if ((this.#lengths & bit) === 0) return undefined;
    const first = this.names.indexOf(name);
    if (first === -1) return undefined;
    const value = this.values[first] as string;
    return (this.#severalLengths & bit) === 0 ? value : this.#joined(name, first);
  }

  #joined(name: string, first: number): string {
    let value = this.values[first] as string;
    for (
      let i = this.names.indexOf(name, first + 1);
      i !== -1;
      i = this.names.indexOf(name, i + 1)
    ) {
      value += `, ${this.values[i]}`;
    }
    return value;
  }
}

/** Lengths that differ by 32 share one. */
function lengthBit({ length }: string): number {
  return 1 << length;
}
