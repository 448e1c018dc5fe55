import { AUDIO } from "./audio.ts";
import { chatCompletions } from "./chat-completions.ts";
import { completions } from "./completions.ts";
import { decisions } from "./decisions.ts";
import { embeddings } from "./embeddings.ts";
import { IMAGES } from "./images.ts";
import { moderations } from "./moderations.ts";
import { OperationIndex } from "./operation-index.ts";
import type { Operation } from "./operation.ts";
import { READS } from "./reads.ts";
import { compaction, responses } from "./responses.ts";
import { speech } from "./speech.ts";
import { unlisted, unlistedRead } from "./unlisted.ts";

/** Every listed operation. */
export const OPERATIONS: readonly Operation[] = [
  chatCompletions,
  responses,
  compaction,
  completions,
  embeddings,
  decisions,
  moderations,
  speech,
  ...AUDIO,
  ...IMAGES,
  ...READS,
];

const INDEX = new OperationIndex(OPERATIONS);

/** Methods that ask for nothing to be made. Source: RFC 9110, section 9.2.1; and DELETE, which takes something away. */
const READING_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "DELETE"]);

/** The operation behind a method and a path without query; one for all that are not listed. */
export function findOperation(method: string, path: string): Operation {
  return INDEX.find(method, path) ?? (READING_METHODS.has(method) ? unlistedRead : unlisted);
}
