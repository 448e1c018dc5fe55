import type { Operation } from "./operation.ts";

interface Pattern {
  readonly segments: readonly string[];
  readonly operation: Operation;
}

interface MethodTable {
  readonly exact: Map<string, Operation>;
  readonly patterns: Pattern[];
}

/** No operation's path is nearly as long, in any spelling worth reading. */
const MAX_PATH_CHARACTERS = 256;

/** Finds an operation by method and path; a plain path costs two look-ups and allocates nothing. */
export class OperationIndex {
  readonly #tables = new Map<string, MethodTable>();

  constructor(operations: readonly Operation[]) {
    for (const operation of operations) {
      const table = this.#tableOf(operation.method);
      if (operation.path.includes("{")) {
        table.patterns.push({ segments: operation.path.split("/"), operation });
      } else {
        table.exact.set(operation.path, operation);
      }
    }
  }

  #tableOf(method: string): MethodTable {
    const known = this.#tables.get(method);
    if (known !== undefined) return known;
    const table: MethodTable = { exact: new Map(), patterns: [] };
    this.#tables.set(method, table);
    return table;
  }

  /**
   * A path that is only written differently (trailing or doubled slashes, percent-encoding, dot segments, parameters,
   * letter case) is the same operation: many servers answer it just so, and a call must not escape the meter by its
   * spelling.
   */
  find(method: string, path: string): Operation | undefined {
    const table = this.#tables.get(method);
    if (table === undefined) return undefined;
    const exact = table.exact.get(path);
    if (exact !== undefined) return exact;
    if (path.length > MAX_PATH_CHARACTERS) return undefined;
    const plain = plainPath(path);
    return table.exact.get(plain) ?? findPattern(table.patterns, plain.split("/"));
  }
}

function findPattern(
  patterns: readonly Pattern[],
  segments: readonly string[],
): Operation | undefined {
  return patterns.find(({ segments: wanted }) => matches(wanted, segments))?.operation;
}

function matches(wanted: readonly string[], segments: readonly string[]): boolean {
  return (
    wanted.length === segments.length &&
    wanted.every((segment, at) => segment.startsWith("{") || segment === segments[at])
  );
}

/** A path as it is compared: one spelling of those that servers take for the same. */
export function plainPath(path: string): string {
  const segments: string[] = [];
  for (const segment of decode(path).toLowerCase().split("/")) {
    // Parameters of a segment (RFC 3986, section 3.3), which Java's servers take off, and spaces, which others do.
    const name = segment.replace(/;.*$/s, "").trim();
    if (name === "..") segments.pop();
    else if (name !== "" && name !== ".") segments.push(name);
  }
  return `/${segments.join("/")}`;
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // A stray percent sign: no server decodes it either.
    return path;
  }
}
