import { z } from "zod";
import {
  readRequest,
  refuse,
  type Answer,
  type BodilessEndpoint,
  type Call,
  type Endpoint,
  type JsonEndpoint,
} from "../endpoint.ts";
import type { SimulatorMemory } from "../memory/simulator-memory.ts";
import { SimulatedBatch, type BatchObject } from "../work/simulated-batch.ts";
import { listObject, pageOf } from "./paged-list.ts";

const requestSchema = z.looseObject({
  input_file_id: z.string().min(1),
  endpoint: z.enum([
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/images/generations",
    "/v1/moderations",
    "/v1/responses",
  ]),
  completion_window: z.literal("24h"),
  metadata: z
    .record(z.string().max(64), z.string().max(512))
    .refine((pairs) => Object.keys(pairs).length <= 16, "16 pairs at most")
    .nullish(),
});

/** About what a batch takes in memory, apart from its files. */
const BATCH_BYTES = 1024;

/** `POST /v1/batches`. Source: the batch object of OpenAI's API reference. */
const createBatch = (memory: SimulatorMemory): JsonEndpoint => ({
  takes: "json",
  method: "POST",
  path: "/v1/batches",
  async answer(body, call) {
    const read = readRequest(requestSchema, body);
    if ("refusal" in read) return read.refusal;
    const { request } = read;
    const input = memory.files.get(request.input_file_id);
    if (input?.content === undefined || input.content === null) {
      const message =
        input === undefined
          ? `No such File object: ${request.input_file_id}`
          : "The simulator keeps no file that is so large.";
      return refuse(400, message, { code: "invalid_value", param: "input_file_id" });
    }
    const batch = new SimulatedBatch(
      {
        inputFileId: request.input_file_id,
        endpoint: request.endpoint,
        completionWindow: request.completion_window,
        metadata: request.metadata ?? null,
      },
      memory.files,
      call,
    );
    const bytes = BATCH_BYTES + JSON.stringify(request.metadata ?? null).length;
    memory.batches.put(batch.id, batch, bytes);
    return json(await batch.snapshot(call.nowMs));
  },
});

const retrieveBatch = (memory: SimulatorMemory): BodilessEndpoint => ({
  takes: "nothing",
  method: "GET",
  path: "/v1/batches/:id",
  async answer(call) {
    const batch = memory.batches.get(call.id);
    return batch === undefined ? notFound(call) : json(await batch.snapshot(call.nowMs));
  },
});

const cancelBatch = (memory: SimulatorMemory): BodilessEndpoint => ({
  takes: "nothing",
  method: "POST",
  path: "/v1/batches/:id/cancel",
  async answer(call) {
    const batch = memory.batches.get(call.id);
    if (batch === undefined) return notFound(call);
    const cancelling = await batch.cancel(call.nowMs);
    return cancelling === undefined
      ? refuse(409, "A batch that has ended can't be cancelled.")
      : json(cancelling);
  },
});

const listBatches = (memory: SimulatorMemory): BodilessEndpoint => ({
  takes: "nothing",
  method: "GET",
  path: "/v1/batches",
  async answer(call) {
    const page = pageOf(memory.batches.newestFirst(), call);
    if ("refusal" in page) return page.refusal;
    const objects: BatchObject[] = [];
    for (const batch of page.items) objects.push(await batch.snapshot(call.nowMs));
    return json(listObject(objects, page.hasMore));
  },
});

export function createBatchEndpoints(memory: SimulatorMemory): readonly Endpoint[] {
  return [createBatch(memory), cancelBatch(memory), retrieveBatch(memory), listBatches(memory)];
}

function json(body: object): Answer {
  return { kind: "json", body, outputTokens: 0 };
}

function notFound({ id }: Call): Answer {
  return refuse(404, `No batch found with id '${id}'.`);
}
