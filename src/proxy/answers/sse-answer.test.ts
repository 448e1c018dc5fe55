import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BUILT_IN_PRICE_LIST } from "../../core/pricing/built-in-price-list.ts";
import { createPriceBook } from "../../core/pricing/create-price-book.ts";
import { findOperation } from "../../wire/find-operation.ts";
import { SseAnswer } from "./sse-answer.ts";

const PRICES = createPriceBook(BUILT_IN_PRICE_LIST);
const AT_MS = Date.UTC(2026, 0, 1);

/** Everything that an answer is judged by: bytes, tokens, cost, text. */
function run(chunks: readonly Buffer[], options: { path: string; isUsageHidden: boolean }) {
  const sent: Buffer[] = [];
  const answer = new SseAnswer((bytes) => sent.push(bytes), {
    operation: findOperation("POST", options.path),
    isUsageHidden: options.isUsageHidden,
    maxEventBytes: 100_000,
    maxRetainedBytes: 100_000,
    maxTextCharacters: 1_000_000,
  });
  for (const chunk of chunks) answer.push(chunk);
  const rest = answer.finish();
  if (rest !== undefined) sent.push(rest);
  const facts = answer.facts();
  const rating = PRICES.rate({
    provider: "openai",
    model: facts.servedModel,
    serviceTier: facts.serviceTier,
    variant: null,
    atMs: AT_MS,
    quantities: facts.quantities ?? {},
  });
  return {
    bytes: Buffer.concat(sent).toString(),
    facts,
    cost: rating.costPicos,
    text: answer.deliveredText().texts.join(""),
    units: answer.deliveredUnits(),
  };
}

function split(bytes: Buffer, cutSeeds: readonly number[]): Buffer[] {
  const cuts = cutSeeds.map((seed) => seed % (bytes.length + 1)).toSorted((a, b) => a - b);
  return [0, ...cuts].map((from, index) => bytes.subarray(from, cuts[index] ?? bytes.length));
}

const usage = fc
  .record({ prompt: fc.nat(100_000), cached: fc.nat(100_000), completion: fc.nat(100_000) })
  .map(({ prompt, cached, completion }) => ({
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: Math.min(prompt, cached) },
  }));

const chatStream = fc
  .tuple(
    fc.array(fc.string({ unit: "grapheme", maxLength: 5 })),
    usage,
    fc.constantFrom("\n", "\r\n"),
  )
  .map(([words, reported, end]) => {
    const model = "gpt-4o-mini-2024-07-18";
    const chunk = (more: object): string =>
      `data: ${JSON.stringify({ id: "chatcmpl-1", model, ...more })}${end}${end}`;
    const content = words.map((word) =>
      chunk({ choices: [{ index: 0, delta: { content: word } }], usage: null }),
    );
    return {
      visible: [`: hello${end}${end}`, ...content],
      usageChunk: chunk({ choices: [], usage: reported }),
      done: `data: [DONE]${end}${end}`,
      words,
      reported,
    };
  });

function event(type: string, more: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
}

describe("SseAnswer", () => {
  it("gives the same bytes, tokens and cost however a chat stream is split", () => {
    fc.assert(
      fc.property(chatStream, fc.array(fc.nat()), fc.boolean(), (stream, cuts, isUsageHidden) => {
        const text = [...stream.visible, stream.usageChunk, stream.done].join("");
        const bytes = Buffer.from(text);
        const options = { path: "/v1/chat/completions", isUsageHidden };
        const whole = run([bytes], options);
        expect(run(split(bytes, cuts), options)).toEqual(whole);
        expect(whole.bytes).toBe(isUsageHidden ? [...stream.visible, stream.done].join("") : text);
        expect(whole.text).toBe(stream.words.join(""));
        const { prompt_tokens: prompt, prompt_tokens_details: details } = stream.reported;
        expect(whole.facts.quantities?.input ?? 0).toBe(prompt - details.cached_tokens);
        // gpt-4o-mini: $0.15, cached $0.075, output $0.60 per million.
        expect(whole.cost).toBe(
          BigInt(prompt - details.cached_tokens) * 150_000n +
            BigInt(details.cached_tokens) * 75_000n +
            BigInt(stream.reported.completion_tokens) * 600_000n,
        );
      }),
    );
  });

  it("gives the same bytes and tokens however a responses stream is split", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" })), fc.array(fc.nat()), (words, cuts) => {
        const response = { id: "resp_1", model: "gpt-4o-mini-2024-07-18", service_tier: "default" };
        const reported = {
          input_tokens: 7,
          output_tokens: words.length,
          total_tokens: 7 + words.length,
        };
        const bytes = Buffer.from(
          [
            event("response.created", { response: { ...response, usage: null } }),
            ...words.map((delta) => event("response.output_text.delta", { delta })),
            event("response.completed", { response: { ...response, usage: reported } }),
          ].join(""),
        );
        const options = { path: "/v1/responses", isUsageHidden: false };
        const whole = run([bytes], options);
        expect(run(split(bytes, cuts), options)).toEqual(whole);
        expect(whole.bytes).toBe(bytes.toString());
        expect(whole.facts).toMatchObject({
          responseId: "resp_1",
          servedModel: response.model,
          quantities: { input: 7 },
        });
      }),
    );
  });

  it.each([
    ["/v1/images/generations", "image_generation.completed", { input: 30, imageOutput: 9 }],
    ["/v1/images/edits", "image_edit.completed", { input: 30, imageOutput: 9 }],
    ["/v1/audio/speech", "speech.audio.done", { input: 30, audioOutput: 9 }],
    ["/v1/audio/transcriptions", "transcript.text.done", { input: 30, output: 9 }],
    ["/v1/something/new", "new.done", { input: 30, output: 9 }],
  ])("gives the same facts however a stream of %s is split", (path, type, quantities) => {
    const reported = { input_tokens: 30, output_tokens: 9, total_tokens: 39 };
    fc.assert(
      fc.property(fc.array(fc.base64String()), fc.array(fc.nat()), (pieces, cuts) => {
        const text = [
          ...pieces.map((delta) => event("piece", { delta, usage: null })),
          event(type, { b64_json: pieces.join(""), usage: reported }),
        ].join("");
        const bytes = Buffer.from(text);
        const whole = run([bytes], { path, isUsageHidden: false });
        expect(run(split(bytes, cuts), { path, isUsageHidden: false })).toEqual(whole);
        expect(whole.bytes).toBe(text);
        expect(whole.facts.quantities).toEqual(quantities);
      }),
    );
  });

  it("finds an error however the stream is split, and none in a text that speaks of one", () => {
    const said = fc.constantFrom(
      '{"error":{"code":"x"}}',
      '"error"',
      'type":"error"',
      "error",
      '\\"error"',
    );
    const error = { code: "insufficient_quota", message: "no" };
    const failure = fc.constantFrom(
      ["insufficient_quota", `data: ${JSON.stringify({ error })}\n\n`],
      [
        "insufficient_quota",
        `event: error\ndata: ${JSON.stringify({ type: "error", ...error })}\n\n`,
      ],
      [
        "insufficient_quota",
        event("response.failed", { response: { id: "r", error, usage: null } }),
      ],
      ["overloaded_error", event("error", { error: { type: "overloaded_error" } })],
      ["error", 'data: { "error" : "out of memory" }\n\n'],
      [null, event("response.completed", { response: { id: "r", error: null } })],
      [null, 'data: {"error":null,"choices":[{"finish_reason":"error"}]}\n\n'],
    );
    fc.assert(
      fc.property(fc.array(said), failure, fc.array(fc.nat()), (texts, [code, bad], cuts) => {
        const deltas = texts.map((delta) => event("response.output_text.delta", { delta }));
        const bytes = Buffer.from([...deltas, bad, ...deltas].join(""));
        const options = { path: "/v1/responses", isUsageHidden: false };
        const whole = run([bytes], options);
        expect(run(split(bytes, cuts), options)).toEqual(whole);
        expect(whole.facts.error).toBe(code);
      }),
    );
  });

  it("still reads a last event whose blank line is missing, and still hides it", () => {
    const data = {
      id: "c",
      model: "m",
      choices: [],
      usage: { prompt_tokens: 1, completion_tokens: 2 },
    };
    const { bytes, facts } = run([Buffer.from(`data: ${JSON.stringify(data)}`)], {
      path: "/v1/chat/completions",
      isUsageHidden: true,
    });
    expect(bytes).toBe("");
    expect(facts.quantities).toEqual({ input: 1, output: 2 });
  });

  it("keeps the text of a stream that is too long to be remembered as bytes", () => {
    const events = Array.from({ length: 3000 }, (_, index) =>
      Buffer.from(
        `data: ${JSON.stringify({ choices: [{ delta: { content: `${index} ` } }] })}\n\n`,
      ),
    );
    const { text } = run(events, { path: "/v1/chat/completions", isUsageHidden: false });
    expect(text.split(" ")).toHaveLength(3001);
  });
});
