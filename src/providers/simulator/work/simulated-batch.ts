import type { Call } from "../endpoint.ts";
import { MAX_KEPT_FILE_BYTES, type FileStore } from "../memory/file-store.ts";
import { batchError, readBatchLines, type BatchError, type BatchLines } from "./batch-lines.ts";
import type { BatchUsage } from "./batch-usage.ts";
import { runBatch } from "./run-batch.ts";
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

/** What is known of its file once it was read. */
interface BatchPlan {
  readonly errors: readonly BatchError[];
  readonly total: number;
  readonly model: string | null;
}

type BatchResult =
  | { readonly errors: readonly BatchError[] }
  | {
      readonly failed: number;
      readonly usage: BatchUsage;
      readonly outputFileId: string | null;
      readonly errorFileId: string | null;
    };

/** From here on what was done is gathered. */
const FINALIZING_SHARE = 0.75;
const VALIDATED_SHARE = 0.25;
const WINDOW_SECONDS = 24 * 60 * 60;

/**
 * A batch. Its file is read when it is first looked at after its validation, and its lines are run when it is first looked
 * at after its time: nothing has to go on while nobody looks. Source: `Batch` of OpenAI's API.
 */
export class SimulatedBatch {
  readonly id: string;
  readonly #request: BatchRequest;
  readonly #files: FileStore;
  readonly #work: TimedWork;
  /** Its lines are answered as within the call that made it, whoever looks at it. */
  readonly #call: Call;
  #plan: BatchPlan | undefined;
  #result: Promise<BatchResult> | undefined;
  #cancelledAtSeconds: number | null = null;

  constructor(request: BatchRequest, files: FileStore, call: Call) {
    this.id = call.createId("batch_");
    this.#request = request;
    this.#files = files;
    this.#call = call;
    this.#work = new TimedWork(call.nowMs, call.workMs);
  }

  /** Undefined when it has ended. It is `cancelling` in this answer and `cancelled` in the next. */
  async cancel(nowMs: number): Promise<BatchObject | undefined> {
    const before = await this.snapshot(nowMs);
    if (ENDED.has(before.status)) return undefined;
    this.#cancelledAtSeconds = Math.floor(nowMs / 1000);
    const cancelling = { status: "cancelling", cancelling_at: this.#cancelledAtSeconds };
    return { ...before, ...cancelling };
  }

  async snapshot(nowMs: number): Promise<BatchObject> {
    const phase = this.#work.phase(nowMs);
    if (this.#cancelledAtSeconds !== null) return this.#cancelled(this.#cancelledAtSeconds);
    if (phase === "waiting") return this.#object("validating", {});
    this.#plan ??= planOf(this.#readLines());
    const { errors, total, model } = this.#plan;
    if (errors.length > 0) return this.#failed(errors);
    const begun = { in_progress_at: this.#work.secondsAt(VALIDATED_SHARE), model };
    const gathered = { ...begun, finalizing_at: this.#work.secondsAt(FINALIZING_SHARE) };
    if (phase === "working") {
      const none = { request_counts: counts(total, 0) };
      const share = this.#work.elapsedMs(nowMs) / this.#work.durationMs;
      return share < FINALIZING_SHARE
        ? this.#object("in_progress", { ...begun, ...none })
        : this.#object("finalizing", { ...gathered, ...none });
    }
    this.#result ??= this.#run();
    const result = await this.#result;
    if ("errors" in result) return this.#failed(result.errors);
    return this.#object("completed", {
      ...gathered,
      completed_at: this.#work.secondsAt(1),
      output_file_id: result.outputFileId,
      error_file_id: result.errorFileId,
      request_counts: counts(total, total - result.failed, result.failed),
      usage: result.usage,
    });
  }

  #readLines(): BatchLines {
    const { inputFileId, endpoint } = this.#request;
    const content = this.#files.get(inputFileId)?.content;
    if (content !== undefined && content !== null) return readBatchLines(content, endpoint);
    const message = `The file ${inputFileId} is no longer there.`;
    return { requests: [], errors: [batchError("file_not_found", message)] };
  }

  /** What its output takes in memory counts as files from the moment it is there. */
  async #run(): Promise<BatchResult> {
    const { requests, errors } = this.#readLines();
    if (errors.length > 0) return { errors };
    const { endpoint } = this.#request;
    const outcome = await runBatch(
      { requests, endpoint, maxOutputBytes: MAX_KEPT_FILE_BYTES },
      this.#call,
    );
    if (outcome === undefined) {
      const message = `The simulator keeps no output of more than ${MAX_KEPT_FILE_BYTES} bytes.`;
      return { errors: [batchError("output_too_large", message)] };
    }
    const { failed, usage, output, errorOutput } = outcome;
    const outputFileId = this.#keepFile(output, "output");
    return { failed, usage, outputFileId, errorFileId: this.#keepFile(errorOutput, "errors") };
  }

  /** Its id; null where it would have no line. */
  #keepFile(content: Buffer, name: string): string | null {
    if (content.length === 0) return null;
    const id = this.#call.createId("file-");
    this.#files.keep({
      id,
      filename: `${id}_${name}.jsonl`,
      purpose: "batch_output",
      bytes: content.length,
      createdAtSeconds: this.#work.secondsAt(1),
      content,
    });
    return id;
  }

  #cancelled(atSeconds: number): BatchObject {
    return this.#object("cancelled", { cancelling_at: atSeconds, cancelled_at: atSeconds });
  }

  #failed(errors: readonly BatchError[]): BatchObject {
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
      request_counts: counts(0, 0),
      metadata,
      ...fields,
    };
    return batch;
  }
}

const ENDED: ReadonlySet<string> = new Set(["completed", "failed", "cancelled"]);

function counts(total: number, completed: number, failed = 0): object {
  return { total, completed, failed };
}

function planOf({ requests, errors }: BatchLines): BatchPlan {
  const model = requests[0]?.body["model"];
  return { errors, total: requests.length, model: typeof model === "string" ? model : null };
}
