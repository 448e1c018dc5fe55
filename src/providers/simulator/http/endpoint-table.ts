import type { Endpoint } from "../endpoint.ts";

export type Found =
  | { readonly endpoint: Endpoint; readonly id: string }
  /** The path is there, and takes these methods. */
  | { readonly methods: readonly string[] };

/** Endpoints by method and path; a path without `:id` is found before one with it. */
export class EndpointTable {
  readonly #exact = new Map<string, Endpoint>();
  readonly #patterns: { readonly pattern: RegExp; readonly endpoint: Endpoint }[] = [];

  constructor(endpoints: readonly Endpoint[]) {
    for (const endpoint of endpoints) {
      const { method, path } = endpoint;
      if (!path.includes(":id")) this.#exact.set(`${method} ${path}`, endpoint);
      // A model's name may hold slashes, so an id at the end takes all that is left.
      else this.#patterns.push({ pattern: patternOf(path), endpoint });
    }
  }

  find(method: string, path: string): Found | undefined {
    const exact = this.#exact.get(`${method} ${path}`);
    if (exact !== undefined) return { endpoint: exact, id: "" };
    const methods: string[] = [];
    for (const { pattern, endpoint } of this.#patterns) {
      const id = pattern.exec(path)?.[1];
      if (id === undefined) continue;
      if (endpoint.method === method) return { endpoint, id: decode(id) };
      methods.push(endpoint.method);
    }
    for (const { method: other, path: known } of this.#exact.values()) {
      if (known === path) methods.push(other);
    }
    return methods.length === 0 ? undefined : { methods };
  }
}

function patternOf(path: string): RegExp {
  const [before = "", after = ""] = path.split(":id");
  return new RegExp(`^${before}${after === "" ? "(.+)" : "([^/]+)"}${after}$`);
}

/** An id that is not well encoded is taken as it stands: it names nothing that there is. */
function decode(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}
