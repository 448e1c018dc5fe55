import { AUDIO } from "./audio.ts";
import { BATCHES } from "./batches.ts";
import { chatCompletions } from "./chat-completions.ts";
import { completions } from "./completions.ts";
import { decisions } from "./decisions.ts";
import { embeddings } from "./embeddings.ts";
import { IMAGES } from "./images.ts";
import { moderations } from "./moderations.ts";
import type { Operation } from "./operation.ts";
import { READS } from "./reads.ts";
import { compaction, responses } from "./responses.ts";
import { RUNS } from "./runs.ts";
import { speech } from "./speech.ts";

/** Every listed operation of OpenAI's API. */
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
  ...BATCHES,
  ...RUNS,
  ...READS,
];
