/** The thread that counts. It knows nothing but texts and numbers, and loads an encoding when it is first asked for. */
import { parentPort } from "node:worker_threads";
import type { EncodingName } from "./encoding-of.ts";
import { sliceText } from "./text-slices.ts";

export interface CountJob {
  readonly id: number;
  readonly encoding: EncodingName;
  readonly texts: readonly string[];
}

export interface CountResult {
  readonly id: number;
  readonly tokens: number;
}

type CountTokens = (text: string) => number;

/** Merged pieces that are remembered, each as long as a run at most; the library's default is ten times that. */
const MAX_REMEMBERED_PIECES = 10_000;

/** Text that looks like a special token (`<|endoftext|>`) is what a user wrote: ordinary text. */
const NO_SPECIAL_TOKENS = { disallowedSpecial: new Set<string>() };

const encodings = new Map<EncodingName, Promise<CountTokens>>();

async function load(name: EncodingName): Promise<CountTokens> {
  const { countTokens, setMergeCacheSize } = await (name === "cl100k_base"
    ? import("gpt-tokenizer/encoding/cl100k_base")
    : import("gpt-tokenizer/encoding/o200k_base"));
  setMergeCacheSize(MAX_REMEMBERED_PIECES);
  return (text) => countTokens(text, NO_SPECIAL_TOKENS);
}

async function run({ id, encoding, texts }: CountJob): Promise<CountResult> {
  let loaded = encodings.get(encoding);
  if (loaded === undefined) {
    loaded = load(encoding);
    encodings.set(encoding, loaded);
  }
  const countTokens = await loaded;
  let tokens = 0;
  for (const text of texts) {
    for (const slice of sliceText(text)) tokens += countTokens(slice);
  }
  return { id, tokens };
}

// A failure must end the thread, so that those who wait hear of it: an unhandled rejection does just that.
parentPort?.on("message", (job: CountJob) => {
  void run(job).then((result) => parentPort?.postMessage(result, []));
});
