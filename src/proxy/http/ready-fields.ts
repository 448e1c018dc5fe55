import { areSendable, unsendableNameIn } from "./field-text.ts";

/** What a reply's head says by itself, or reads out of its fields. */
const OF_THE_HEAD = ["connection", "transfer-encoding", "content-length", "date"];

/** Fields that many replies have alike: looked at and written out once for all of them. */
export class ReadyFields {
  /** Each with its line end. */
  readonly lines: string;
  readonly #names: readonly string[];

  /** A flat list of names (in lower case) and values. Throws at a field that cannot be sent, or that frames a message. */
  constructor(headers: readonly string[]) {
    const pieces: string[] = [];
    const names: string[] = [];
    let values = "";
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] as string;
      const value = headers[i + 1] as string;
      if (name === "" || OF_THE_HEAD.includes(name)) throw new Error(`no ready field: "${name}"`);
      names.push(name);
      values += value;
      pieces.push(name, ": ", value, "\r\n");
    }
    checkSendable(headers, names.join(""), values);
    this.lines = pieces.join("");
    this.#names = names;
  }

  has(name: string): boolean {
    return this.#names.includes(name);
  }
}

/** Throws where a field cannot be sent. `names` and `values`: those of `headers`, each in one piece. */
export function checkSendable(headers: readonly string[], names: string, values: string): void {
  if (areSendable(names, values)) return;
  const name = JSON.stringify(unsendableNameIn(headers).slice(0, 100));
  throw new Error(`a reply cannot have such a header: ${name}`);
}
