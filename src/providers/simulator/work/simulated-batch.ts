import type { Call } from "../endpoint.ts";
import { MAX_KEPT_FILE_BYTES, type FileStore } from "../memory/file-store.ts";
import { runBatch, type BatchOutcome } from "./run-batch.ts";
import { TimedWork } from "./timed-work.ts";

export interface BatchRequest {
  readonly inputFileId: string;
  readonly endpoint: string;
  readonly completionWindow: string;
  readonly metadata: object | null;
}

export interface BatchObject {
  readonly id: string;
  readonly status: string;
}

interface BatchFiles {
  readonly output: string | null;
  readonly error: string | null;
}

/** From here on what was done is gathered. */
const FINALIZING_SHARE = 0.75;
const VALIDATED_SHARE = 0.25;
const WINDOW_SECONDS = 24 * 60 * 60;

/**
 * A batch. Its lines are run when it is first looked at after it was validated, and its files are made when it is first
 * looked at after its time. Source: `Batch` of OpenAI's API.
 */
export class SimulatedBatch {
  readonly id: string;
  readonly #request: BatchRequest;
  readonly #files: FileStore;
  readonly #work: TimedWork;
  #outcome: Promise<BatchOutcome> | undefined;
  #outputs: BatchFiles | undefined;
  #cancelledAtSeconds: number | null = null;

  constructor(request: BatchRequest, files: FileStore, call: Call) {
    this.id = call.createId("batch_");
    this.#request = request;
    this.#files = files;
    this.#work = new TimedWork(call.nowMs, call.workMs);
  }

  /** False when it has ended. It is `cancelling` in this answer and `cancelled` in the next. */
  async cancel(call: Call): Promise<BatchObject | undefined> {
    const before = await this.snapshot(call);
    if (ENDED.has(before.status)) return undefined;
    this.#cancelledAtSeconds = call.createdAtSeconds;
    const cancelling = { status: "cancelling", cancelling_at: call.createdAtSeconds };
    return { ...before, ...cancelling };
  }

  async snapshot(call: Call): Promise<BatchObject> {
    const phase = this.#work.phase(call.nowMs);
    if (this.#cancelledAtSeconds !== null) return this.#cancelled(this.#cancelledAtSeconds);
    if (phase === "waiting") return this.#object("validating", {});
    this.#outcome ??= this.#run(call);
    const outcome = await this.#outcome;
    if (outcome.errors.length > 0) return this.#failed(outcome);
    const { total, failed, model } = outcome;
    const begun = { in_progress_at: this.#work.secondsAt(VALIDATED_SHARE), model };
    const gathered = { ...begun, finalizing_at: this.#work.secondsAt(FINALIZING_SHARE) };
    if (phase === "working") {
      const share = this.#work.elapsedMs(call.nowMs) / this.#work.durationMs;
      return share < FINALIZING_SHARE
        ? this.#object("in_progress", { ...begun, request_counts: counts(total, 0, 0) })
        : this.#object("finalizing", {
            ...gathered,
            request_counts: counts(total, total - failed, failed),
          });
    }
    this.#outputs ??= this.#keepFiles(outcome, call);
    return this.#object("completed", {
      ...gathered,
      completed_at: this.#work.secondsAt(1),
      output_file_id: this.#outputs.output,
      error_file_id: this.#outputs.error,
      request_counts: counts(total, total - failed, failed),
      usage: outcome.usage,
    });
  }

  #run(call: Call): Promise<BatchOutcome> {
    const { inputFileId, endpoint } = this.#request;
    // A file that was deleted or made room for others has no line.
    const content = this.#files.get(inputFileId)?.content ?? Buffer.alloc(0);
    return runBatch({ content, endpoint, maxOutputBytes: MAX_KEPT_FILE_BYTES }, call);
  }

  /** The ids of the files; there is none where it would have no line. */
  #keepFiles(outcome: BatchOutcome, call: Call): BatchFiles {
    const keep = (content: Buffer, name: string): string | null => {
      if (content.length === 0) return null;
      const id = call.createId("file-");
      this.#files.keep({
        id,
        filename: `${id}_${name}.jsonl`,
        purpose: "batch_output",
        bytes: content.length,
        createdAtSeconds: call.createdAtSeconds,
        content,
      });
      return id;
    };
    return {
      output: keep(outcome.output, "output"),
      error: keep(outcome.errorOutput, "errors"),
    };
  }

  #cancelled(atSeconds: number): BatchObject {
    return this.#object("cancelled", { cancelling_at: atSeconds, cancelled_at: atSeconds });
  }

  #failed({ errors }: BatchOutcome): BatchObject {
    return this.#object("failed", {
      failed_at: this.#work.secondsAt(VALIDATED_SHARE),
      errors: { object: "list", data: errors },
    });
  }

  #object(status: string, fields: object): BatchObject {
    const { inputFileId, endpoint, completionWindow, metadata } = this.#request;
    const createdAt = this.#work.secondsAt(0);
    const batch = {
      id: this.id,
      object: "batch",
      endpoint,
      errors: null,
      input_file_id: inputFileId,
      completion_window: completionWindow,
      status,
      output_file_id: null,
      error_file_id: null,
      created_at: createdAt,
      in_progress_at: null,
      expires_at: createdAt + WINDOW_SECONDS,
      finalizing_at: null,
      completed_at: null,
      failed_at: null,
      expired_at: null,
      cancelling_at: null,
      cancelled_at: null,
      request_counts: counts(0, 0, 0),
      metadata,
      ...fields,
    };
    return batch;
  }
}

const ENDED: ReadonlySet<string> = new Set(["completed", "failed", "cancelled"]);

function counts(total: number, completed: number, failed: number): object {
  return { total, completed, failed };
}
