/** A request's header fields in the order in which they came. */
export class HeaderFields {
  /** In lower case. */
  readonly names: string[] = [];
  /** The bytes of each as Latin-1, without the blanks around them. */
  readonly values: string[] = [];

  static from(fields: Readonly<Record<string, string>>): HeaderFields {
    const headers = new HeaderFields();
    for (const [name, value] of Object.entries(fields)) headers.add(name.toLowerCase(), value);
    return headers;
  }

  get count(): number {
    return this.names.length;
  }

  add(name: string, value: string): void {
    this.names.push(name);
    this.values.push(value);
  }

  has(name: string): boolean {
    return this.names.includes(name);
  }

  /** The value of a name in lower case; of a field that came more than once all of them, as RFC 9110 section 5.3 joins them. */
  get(name: string): string | undefined {
    const first = this.names.indexOf(name);
    if (first === -1) return undefined;
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
