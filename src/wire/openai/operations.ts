import { chatCompletions } from "./chat-completions.ts";
import { completions } from "./completions.ts";
import { embeddings } from "./embeddings.ts";
import type { Operation } from "./operation.ts";
import { responses } from "./responses.ts";

/** Every operation whose usage is read. */
export const OPERATIONS: readonly Operation[] = [
  chatCompletions,
  responses,
  completions,
  embeddings,
];

/**
 * The operation behind a method and a path without query; undefined when its usage is not read. A path that is only
 * written differently (trailing or doubled slashes, percent-encoding, dot segments, letter case) is the same
 * operation: many servers answer it just so, and a call must not escape the meter by its spelling.
 */
export function findOperation(method: string, path: string): Operation | undefined {
  if (method !== "POST") return undefined;
  return BY_PATH.get(path) ?? BY_PATH.get(plainPath(path));
}

const BY_PATH = new Map(OPERATIONS.map((operation) => [operation.path, operation]));

/** No operation's path is nearly as long, in any spelling worth reading. */
const MAX_PATH_CHARACTERS = 256;

function plainPath(path: string): string {
  if (path.length > MAX_PATH_CHARACTERS) return path;
  const segments: string[] = [];
  for (const segment of decode(path).toLowerCase().split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
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
