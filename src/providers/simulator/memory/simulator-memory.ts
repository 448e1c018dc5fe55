/** What a simulator remembers between calls, within limits; it is gone when the simulator ends. */
import type { SimulatedBatch } from "../work/simulated-batch.ts";
import type { StoredResponse } from "../work/stored-response.ts";
import { BoundedStore } from "./bounded-store.ts";
import { FileStore } from "./file-store.ts";

export class SimulatorMemory {
  readonly files = new FileStore();
  readonly batches = new BoundedStore<SimulatedBatch>({ maxItems: 500, maxBytes: 8 * 1024 * 1024 });
  readonly responses = new BoundedStore<StoredResponse>({
    maxItems: 1000,
    maxBytes: 32 * 1024 * 1024,
  });
}
