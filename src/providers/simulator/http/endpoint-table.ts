import type { Dialect } from "../../../wire/dialect.ts";
import type { Endpoint, JsonEndpoint } from "../endpoint.ts";

export type Found =
  | { readonly endpoint: Endpoint; readonly id: string }
  /** The path is there, and takes these methods. */
  | { readonly methods: readonly string[] };

/** Endpoints by dialect, method and path; a path without `:id` is found before one with it. */
export class EndpointTable {
  readonly #exact = new Map<string, Endpoint>();
  readonly #patterns: { readonly pattern: RegExp; readonly endpoint: Endpoint }[] = [];

  constructor(endpoints: readonly Endpoint[]) {
    for (const endpoint of endpoints) {
      const { method, path } = endpoint;
      const key = keyOf(dialectOf(endpoint), method, path);
      if (!path.includes(":id")) this.#exact.set(key, endpoint);
      // A model's name may hold slashes, so an id at the end takes all that is left.
      else this.#patterns.push({ pattern: patternOf(path), endpoint });
    }
  }

  /** What takes JSON at a path of OpenAI's. */
  findJson(path: string): JsonEndpoint | undefined {
    const endpoint = this.#exact.get(keyOf("openai", "POST", path));
    return endpoint?.takes === "json" ? endpoint : undefined;
  }

  find(dialect: Dialect, method: string, path: string): Found | undefined {
    const exact = this.#exact.get(keyOf(dialect, method, path));
    if (exact !== undefined) return { endpoint: exact, id: "" };
    const methods: string[] = [];
    for (const { pattern, endpoint } of this.#patterns) {
      const id = pattern.exec(path)?.[1];
      if (id === undefined || dialectOf(endpoint) !== dialect) continue;
      if (endpoint.method === method) return { endpoint, id: decode(id) };
      methods.push(endpoint.method);
    }
    for (const endpoint of this.#exact.values()) {
      if (endpoint.path === path && dialectOf(endpoint) === dialect) methods.push(endpoint.method);
    }
    return methods.length === 0 ? undefined : { methods };
  }
}

function dialectOf({ dialect }: Endpoint): Dialect {
  return dialect ?? "openai";
}

function keyOf(dialect: Dialect, method: string, path: string): string {
  return `${dialect} ${method} ${path}`;
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
