import { ANTHROPIC_OPERATIONS } from "./anthropic/operations.ts";
import { OperationIndex } from "./openai/operation-index.ts";
import type { Operation } from "./openai/operation.ts";
import { OPERATIONS } from "./openai/operations.ts";
import { unlisted, unlistedRead } from "./openai/unlisted.ts";

const LISTED: readonly Operation[] = [...OPERATIONS, ...ANTHROPIC_OPERATIONS];
const INDEX = new OperationIndex(LISTED);

/** The paths of the operations that are listed, but for those with a name or an id in them. */
export const LISTED_PATHS: readonly string[] = LISTED.map(({ path }) => path).filter(
  (path) => !path.includes("{"),
);

/** Methods that ask for nothing to be made. Source: RFC 9110, section 9.2.1; and DELETE, which takes something away. */
const READING_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "DELETE"]);

/** The operation behind a method and a path without query, in either dialect; one for all that are not listed. */
export function findOperation(method: string, path: string): Operation {
  return INDEX.find(method, path) ?? (READING_METHODS.has(method) ? unlistedRead : unlisted);
}
