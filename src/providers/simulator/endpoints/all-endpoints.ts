import type { Endpoint } from "../endpoint.ts";
import { chatCompletions } from "./chat-completions.ts";
import { completions } from "./completions.ts";
import { embeddings } from "./embeddings.ts";
import { messageEndpoints } from "./messages.ts";
import { modelEndpoints } from "./models.ts";
import { responses } from "./responses.ts";
import { uploadEndpoints } from "./uploads.ts";

/** Every endpoint that the simulator speaks. */
export const ALL_ENDPOINTS: readonly Endpoint[] = [
  chatCompletions,
  responses,
  completions,
  embeddings,
  ...uploadEndpoints,
  ...messageEndpoints,
  ...modelEndpoints,
];
