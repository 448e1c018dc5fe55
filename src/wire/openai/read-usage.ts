import type { Quantities } from "../../core/usage/quantities.ts";
import { asObject } from "./fields.ts";
import type { JsonObject } from "./operation.ts";

/** Under which names an API reports its counts. */
export interface UsageShape {
  readonly inputTotal: string;
  readonly outputTotal: string;
  readonly inputDetails: string;
  readonly outputDetails: string;
  /** False for an API whose answer has no output tokens (embeddings). */
  readonly hasOutput: boolean;
}

/** Chat completions and text completions: `CompletionUsage` of the OpenAI API. */
export const COMPLETION_USAGE: UsageShape = {
  inputTotal: "prompt_tokens",
  outputTotal: "completion_tokens",
  inputDetails: "prompt_tokens_details",
  outputDetails: "completion_tokens_details",
  hasOutput: true,
};

/** `ResponseUsage` of the OpenAI API. */
export const RESPONSE_USAGE: UsageShape = {
  inputTotal: "input_tokens",
  outputTotal: "output_tokens",
  inputDetails: "input_tokens_details",
  outputDetails: "output_tokens_details",
  hasOutput: true,
};

export const EMBEDDING_USAGE: UsageShape = { ...COMPLETION_USAGE, hasOutput: false };

/** A usage object of an endpoint that nobody has described: whichever shape its names are of. */
export function readAnyUsage(value: unknown): Quantities | null {
  const usage = asObject(value);
  if (usage === undefined) return null;
  return readUsage(usage, "input_tokens" in usage ? RESPONSE_USAGE : COMPLETION_USAGE);
}

/** A count above this is not a count: no model reads or writes that much in one call. Keeps every sum far below 2^53. */
export const MAX_TOKENS_PER_CALL = 1_000_000_000;

/**
 * Takes a reported usage apart into disjoint classes. Null = nothing usable is reported, which is not the same as
 * zero. The rules, for they are money:
 *
 * - A count is a non-negative integer of at most MAX_TOKENS_PER_CALL. With an invalid input or output total the whole
 *   usage is unusable; an invalid total of all, or an invalid detail, counts as not reported.
 * - Of the three totals (input, output, all) two suffice.
 * - When the total of all is more than input + output, the rest is output: xAI and Gemini leave reasoning out of
 *   `completion_tokens` and bill it. A total of all that is too small is ignored.
 * - Details are inside their total. More than the total is cut: output audio first, then image, then reasoning; input
 *   audio before image, cache reads before cache writes.
 * - Modality and cache divide the input twice, and how the two overlap is not reported. Cached tokens are taken to be
 *   text first, then image, then audio: cached audio saves most, so this never charges too little.
 * - Accepted and rejected prediction tokens are output tokens already and have no class of their own.
 */
export function readUsage(value: unknown, shape: UsageShape): Quantities | null {
  const usage = asObject(value);
  if (usage === undefined) return null;
  const totals = readTotals(usage, shape);
  if (totals === null) return null;
  const classes: Classes = {};
  divideInput(classes, totals.input, usage, asObject(usage[shape.inputDetails]) ?? {});
  if (shape.hasOutput) {
    divideOutput(classes, totals.output, asObject(usage[shape.outputDetails]) ?? {});
  }
  return classes;
}

/** The quantities in the making. */
type Classes = { -readonly [Name in keyof Quantities]: Quantities[Name] };

interface Totals {
  readonly input: number;
  readonly output: number;
}

function readTotals(usage: JsonObject, shape: UsageShape): Totals | null {
  const input = readCount(usage[shape.inputTotal]);
  const output = shape.hasOutput ? readCount(usage[shape.outputTotal]) : 0;
  if (input === "invalid" || output === "invalid") return null;
  const total = readDetail(usage["total_tokens"]);
  if (total === undefined) {
    return input === undefined || output === undefined ? null : { input, output };
  }
  if (input === undefined) {
    return output === undefined || output > total ? null : { input: total - output, output };
  }
  if (output === undefined) return input > total ? null : { input, output: total - input };
  return { input, output: shape.hasOutput ? Math.max(output, total - input) : 0 };
}

function divideInput(
  classes: Classes,
  total: number,
  usage: JsonObject,
  details: JsonObject,
): void {
  // DeepSeek and Moonshot report cache reads beside the totals; OpenAI's own place wins.
  const reportedCached =
    readDetail(details["cached_tokens"]) ??
    readDetail(usage["prompt_cache_hit_tokens"]) ??
    readDetail(usage["cached_tokens"]) ??
    0;
  const audio = Math.min(readDetail(details["audio_tokens"]) ?? 0, total);
  const image = Math.min(readDetail(details["image_tokens"]) ?? 0, total - audio);
  const text = total - audio - image;
  const cached = Math.min(reportedCached, total);
  const written = Math.min(readDetail(details["cache_write_tokens"]) ?? 0, total - cached);

  const cachedText = Math.min(cached, text);
  const cachedImage = Math.min(cached - cachedText, image);
  const cachedAudio = cached - cachedText - cachedImage;
  const writtenText = Math.min(written, text - cachedText);
  const writtenImage = Math.min(written - writtenText, image - cachedImage);
  classes.input = text - cachedText - writtenText;
  countIn(classes, "cachedInput", cachedText + cachedImage);
  countIn(classes, "cacheWriteInput", writtenText + writtenImage);
  countIn(classes, "audioInput", audio - cachedAudio);
  countIn(classes, "cachedAudioInput", cachedAudio);
  countIn(classes, "imageInput", image - cachedImage - writtenImage);
}

function divideOutput(classes: Classes, total: number, details: JsonObject): void {
  const audio = Math.min(readDetail(details["audio_tokens"]) ?? 0, total);
  const image = Math.min(readDetail(details["image_tokens"]) ?? 0, total - audio);
  const reasoning = Math.min(readDetail(details["reasoning_tokens"]) ?? 0, total - audio - image);
  classes.output = total - audio - image - reasoning;
  countIn(classes, "reasoningOutput", reasoning);
  countIn(classes, "audioOutput", audio);
  countIn(classes, "imageOutput", image);
}

/** A class of which there is nothing is left out. */
function countIn(classes: Classes, name: keyof Classes, count: number): void {
  if (count > 0) classes[name] = count;
}

function readCount(value: unknown): number | undefined | "invalid" {
  if (value === undefined || value === null) return undefined;
  return isCount(value) ? value : "invalid";
}

function readDetail(value: unknown): number | undefined {
  return isCount(value) ? value : undefined;
}

function isCount(value: unknown): value is number {
  return (
    Number.isSafeInteger(value) &&
    (value as number) >= 0 &&
    (value as number) <= MAX_TOKENS_PER_CALL
  );
}
