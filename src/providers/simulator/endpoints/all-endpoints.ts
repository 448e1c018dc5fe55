import type { Endpoint } from "../endpoint.ts";
import type { SimulatorMemory } from "../memory/simulator-memory.ts";
import { createBatchEndpoints } from "./batches.ts";
import { chatCompletions } from "./chat-completions.ts";
import { completions } from "./completions.ts";
import { embeddings } from "./embeddings.ts";
import { createFileEndpoints } from "./files.ts";
import { imageEndpoints } from "./images.ts";
import { messageEndpoints } from "./messages.ts";
import { modelEndpoints } from "./models.ts";
import { moderations } from "./moderations.ts";
import { createResponseEndpoints } from "./responses.ts";
import { speech } from "./speech.ts";
import { transcriptionEndpoints } from "./transcriptions.ts";

/** Every endpoint that the simulator speaks. */
export function createEndpoints(memory: SimulatorMemory): readonly Endpoint[] {
  return [
    chatCompletions,
    ...createResponseEndpoints(memory),
    completions,
    embeddings,
    ...createFileEndpoints(memory),
    ...createBatchEndpoints(memory),
    ...transcriptionEndpoints,
    speech,
    ...imageEndpoints,
    moderations,
    ...messageEndpoints,
    ...modelEndpoints,
  ];
}
