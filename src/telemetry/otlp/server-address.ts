export interface ServerAddress {
  readonly address: string;
  readonly port: number;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/** Of the origins that accounts have: as many as there are accounts, so each is taken apart once. */
export class ServerAddresses {
  readonly #known = new Map<string, ServerAddress>();

  of(origin: string): ServerAddress {
    let known = this.#known.get(origin);
    if (known === undefined) {
      const { hostname, port, protocol } = new URL(origin);
      known = {
        address: hostname.replace(/^\[(.*)\]$/, "$1"),
        port: port === "" ? (DEFAULT_PORTS[protocol] ?? 0) : Number(port),
      };
      this.#known.set(origin, known);
    }
    return known;
  }
}
