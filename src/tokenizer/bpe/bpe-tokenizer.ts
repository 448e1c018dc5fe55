import { Worker } from "node:worker_threads";
import { ownFile } from "../../files/own-file.ts";
import { approximateTokens } from "../approximate-tokens.ts";
import type { TextToCount, Tokenizer } from "../tokenizer.ts";
import type { CountJob, CountResult } from "./bpe-worker.ts";
import { encodingOf } from "./encoding-of.ts";

export interface BpeTokenizerOptions {
  /** Characters of one request that are counted; what is beyond is approximated. */
  readonly maxCountedCharacters?: number;
  /** Requests and characters that may wait; a request beyond either is approximated at once. */
  readonly maxPendingRequests?: number;
  readonly maxPendingCharacters?: number;
}

/**
 * A megabyte of prose takes half a second, a megabyte of the worst text (random characters of rare scripts) twelve:
 * the limits keep one hostile request to three seconds, and all that wait to half a minute.
 */
const DEFAULT_MAX_COUNTED_CHARACTERS = 256 * 1024;
const DEFAULT_MAX_PENDING_REQUESTS = 1000;
const DEFAULT_MAX_PENDING_CHARACTERS = 2 * 1024 * 1024;
/** An encoding takes about 60 MB. A thread that needs more than this ends alone, not with the process. */
const MAX_WORKER_HEAP_MB = 512;

interface Pending {
  readonly characters: number;
  readonly resolve: (tokens: number) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Counts with the public encodings of OpenAI's models (`gpt-tokenizer`) in a thread of its own, which starts with the
 * first count and does not keep the process alive. When the thread dies, the counts that it owes reject, and the next
 * count starts another.
 */
export class BpeTokenizer implements Tokenizer {
  readonly #maxCountedCharacters: number;
  readonly #maxPendingRequests: number;
  readonly #maxPendingCharacters: number;
  readonly #pending = new Map<number, Pending>();
  #pendingCharacters = 0;
  #lastId = 0;
  #worker: Worker | undefined;
  #isClosed = false;

  constructor(options: BpeTokenizerOptions = {}) {
    this.#maxCountedCharacters = options.maxCountedCharacters ?? DEFAULT_MAX_COUNTED_CHARACTERS;
    this.#maxPendingRequests = options.maxPendingRequests ?? DEFAULT_MAX_PENDING_REQUESTS;
    this.#maxPendingCharacters = options.maxPendingCharacters ?? DEFAULT_MAX_PENDING_CHARACTERS;
  }

  async count(request: TextToCount): Promise<number> {
    if (this.#isClosed) throw closedError();
    const { counted, rest, characters } = divide(request.texts, this.#maxCountedCharacters);
    const approximated = approximateTokens(rest);
    if (characters === 0) return approximated;
    const isFull =
      this.#pending.size >= this.#maxPendingRequests ||
      this.#pendingCharacters + characters > this.#maxPendingCharacters;
    if (isFull) return approximated + approximateTokens(counted);
    return approximated + (await this.#post(encodingOf(request.model), counted, characters));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    this.#rejectAll(closedError());
    await worker?.terminate();
  }

  #post(
    encoding: CountJob["encoding"],
    texts: readonly string[],
    characters: number,
  ): Promise<number> {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { characters, resolve, reject });
      this.#pendingCharacters += characters;
      worker.ref();
      worker.postMessage({ id, encoding, texts } satisfies CountJob, []);
    });
  }

  #start(): Worker {
    const worker = new Worker(ownFile("tokenizer/bpe/bpe-worker"), {
      name: "keyward-tokenizer",
      resourceLimits: { maxOldGenerationSizeMb: MAX_WORKER_HEAP_MB },
    });
    worker.on("message", ({ id, tokens }: CountResult) => this.#settle(id, tokens));
    worker.on("error", (error: Error) => this.#forget(worker, error));
    worker.on("exit", () => this.#forget(worker));
    return worker;
  }

  #settle(id: number, tokens: number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    this.#pendingCharacters -= pending.characters;
    if (this.#pending.size === 0) this.#worker?.unref();
    pending.resolve(tokens);
  }

  /** A thread that has died owes its counts to nobody any more; one that was closed or replaced has no say. */
  #forget(worker: Worker, cause?: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#rejectAll(new Error("the tokenizer's thread ended before it had counted", { cause }));
  }

  #rejectAll(error: Error): void {
    const all = [...this.#pending.values()];
    this.#pending.clear();
    this.#pendingCharacters = 0;
    for (const { reject } of all) reject(error);
  }
}

function closedError(): Error {
  return new Error("the tokenizer is closed");
}

/** The texts up to a number of characters, and what is beyond. */
function divide(texts: readonly string[], maxCharacters: number) {
  const counted: string[] = [];
  const rest: string[] = [];
  let characters = 0;
  for (const text of texts) {
    const room = maxCharacters - characters;
    if (room > 0 && text !== "") counted.push(text.slice(0, room));
    if (text.length > room) rest.push(text.slice(room));
    characters += Math.min(text.length, room);
  }
  return { counted, rest, characters };
}
