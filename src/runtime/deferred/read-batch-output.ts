/**
 * The output file of a batch: a JSON object a line, `{"custom_id", "response": {"status_code", "body"}, "error"}`, in which
 * `body` is what the batch's endpoint answers. Read line by line; of an answer only what says what it consumed. Source:
 * "Batch API" of OpenAI's guides and `BatchRequestOutput` of its reference.
 */
import { setImmediate } from "node:timers/promises";
import { readScannedFields } from "../../wire/json/read-scanned-fields.ts";
import { SoughtNames } from "../../wire/json/sought-names.ts";
import { TopLevelScanner, type TopLevelScan } from "../../wire/json/top-level-scanner.ts";
import { NO_FACTS, type Operation, type ResponseFacts } from "../../wire/openai/operation.ts";

/** Of each request that was answered; a line that is an error, or is there a second time, costs nothing and is none of them. */
export interface BatchOutput {
  readonly answers: readonly ResponseFacts[];
}

/** OpenAI takes 50,000 requests a batch. */
const MAX_ANSWERS = 100_000;
/** A longer line is not held: its usage is unknown. Embeddings come a few megabytes a line. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;
/** A long line is scanned in pieces, between which other work has its turn. */
const SLICE_BYTES = 256 * 1024;
const MAX_STATUS_BYTES = 8;
/** A longer name of a line is not looked at: its request is told apart by the others. */
const MAX_NAME_BYTES = 512;

const LINE_FEED = 0x0a;

/** Undefined where there are more answers than any batch has, or none of the lines is one of a batch's. */
export async function readBatchOutput(
  chunks: AsyncIterable<unknown>,
  operation: Operation,
): Promise<BatchOutput | undefined> {
  const answers: ResponseFacts[] = [];
  let lines = 0;
  let strangeLines = 0;
  const seen = new Set<string>();
  for await (const line of linesOf(chunks)) {
    lines += 1;
    const answer = await readLine(line, operation);
    if (answer === "strange") strangeLines += 1;
    if (answer === "free") continue;
    const facts = answer === "strange" ? NO_FACTS : answer.facts;
    if (answer !== "strange" && answer.name !== undefined) {
      if (seen.has(answer.name)) continue;
      seen.add(answer.name);
    }
    answers.push(facts);
    if (answers.length > MAX_ANSWERS) return undefined;
  }
  return lines > 0 && strangeLines === lines ? undefined : { answers };
}

/** Undefined for a line that is too long. Empty lines are left out. */
async function* linesOf(chunks: AsyncIterable<unknown>): AsyncGenerator<Buffer | undefined> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  for await (const chunk of chunks) {
    let rest = chunk as Buffer;
    for (let end = rest.indexOf(LINE_FEED); end !== -1; end = rest.indexOf(LINE_FEED)) {
      const line = rest.subarray(0, end);
      rest = rest.subarray(end + 1);
      const whole = heldBytes === 0 ? line : Buffer.concat([...held, line]);
      if (heldBytes + line.length > MAX_LINE_BYTES) yield undefined;
      else if (!isBlank(whole)) yield whole;
      held = [];
      heldBytes = 0;
    }
    heldBytes += rest.length;
    if (heldBytes > MAX_LINE_BYTES) held = [];
    else if (rest.length > 0) held.push(rest);
  }
  const last = Buffer.concat(held);
  if (heldBytes > MAX_LINE_BYTES) yield undefined;
  else if (!isBlank(last)) yield last;
}

function isBlank(line: Buffer): boolean {
  return line.length === 0 || (line.length < 8 && line.toString("latin1").trim() === "");
}

interface Line {
  readonly facts: ResponseFacts;
  /** The same for two lines that are about one answer; undefined where that cannot be told. */
  readonly name: string | undefined;
}

const NAMELESS: Line = { facts: NO_FACTS, name: undefined };

async function readLine(
  line: Buffer | undefined,
  operation: Operation,
): Promise<Line | "free" | "strange"> {
  if (line === undefined) return NAMELESS;
  const outer = await scan(line, ["response", "id", "custom_id"], MAX_NAME_BYTES);
  const response = memberOf(line, outer, "response");
  if (response === undefined) return outer === undefined ? "strange" : "free";
  const inner = await scan(response, ["status_code", "body"], MAX_STATUS_BYTES);
  // `"response": null` stands beside an error.
  if (inner === undefined) return response.toString("latin1") === "null" ? "free" : "strange";
  const status = Number(inner.fields.get("status_code")?.text ?? 200);
  if (status < 200 || status >= 300) return "free";
  const body = memberOf(response, inner, "body");
  const answer =
    body === undefined
      ? undefined
      : await scan(body, operation.responseFields, operation.maxFieldBytes);
  if (answer === undefined) return NAMELESS;
  const facts = operation.readResponse(readScannedFields(answer));
  return { facts, name: nameOf(outer, facts) };
}

/**
 * A request of a batch is known by the id that its sender gave it, and an answer by that of the provider: two lines with
 * the same are one answer. Servers that number nothing, or everything alike, are told apart by the sender's id alone.
 */
function nameOf(outer: TopLevelScan | undefined, { responseId }: ResponseFacts) {
  const sender = outer?.fields.get("custom_id")?.text;
  const provider = outer?.fields.get("id")?.text;
  if (sender === undefined || (provider === undefined && responseId === null)) return undefined;
  return JSON.stringify([sender, provider, responseId]);
}

function memberOf(bytes: Buffer, found: TopLevelScan | undefined, name: string) {
  const field = found?.fields.get(name);
  return field === undefined ? undefined : bytes.subarray(field.start, field.end);
}

async function scan(
  bytes: Buffer,
  wanted: readonly string[],
  maxValueBytes: number | undefined,
): Promise<TopLevelScan | undefined> {
  const scanner = new TopLevelScanner(new SoughtNames(wanted), maxValueBytes);
  for (let start = 0; start < bytes.length; start += SLICE_BYTES) {
    if (start > 0) await setImmediate();
    scanner.push(bytes.subarray(start, start + SLICE_BYTES));
  }
  return scanner.finish();
}
