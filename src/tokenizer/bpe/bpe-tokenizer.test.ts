import { once } from "node:events";
import type { Worker } from "node:worker_threads";
import { afterAll, describe, expect, it } from "vitest";
import { BpeTokenizer } from "./bpe-tokenizer.ts";
import type { BpeTokenizerOptions } from "./bpe-tokenizer.ts";

/** For the tests that only count: starting a thread takes longer than all their counting. */
const shared = new BpeTokenizer();
const opened = [shared];
afterAll(() => Promise.all(opened.map((tokenizer) => tokenizer.close())));

function create(options?: BpeTokenizerOptions): BpeTokenizer {
  const tokenizer = new BpeTokenizer(options);
  opened.push(tokenizer);
  return tokenizer;
}

/** Node tells of every thread that the process starts. */
async function threadStartedBy(start: () => unknown): Promise<Worker> {
  const started = once(process, "worker");
  start();
  const [worker] = (await started) as [Worker];
  return worker;
}

describe("BpeTokenizer", () => {
  it.each([
    // Counts that OpenAI's tiktoken gives for these texts.
    ["gpt-4o", "hello world", 2],
    ["gpt-4", "hello world", 2],
    ["gpt-4o", "tiktoken is great!", 6],
    ["gpt-4", "tiktoken is great!", 6],
    ["gpt-4", "お誕生日おめでとう", 9],
    ["gpt-4o", "お誕生日おめでとう", 8],
    [null, "2 + 2 = 4", 7],
  ])("counts with the encoding of %s: %j is %i tokens", async (model, text, tokens) => {
    expect(await shared.count({ model, texts: [text] })).toBe(tokens);
  });

  it("adds up several texts, and counts nothing for nothing", async () => {
    expect(await shared.count({ model: null, texts: ["hello", "", " world"] })).toBe(2);
    expect(await shared.count({ model: null, texts: [] })).toBe(0);
    expect(await shared.count({ model: null, texts: ["", ""] })).toBe(0);
  });

  it("counts text that looks like a special token as the ordinary text it is", async () => {
    const texts = ["<|endoftext|>", "<|im_start|>system<|im_end|>", "a<|fim_prefix|>b"];
    const tokens = await shared.count({ model: "gpt-4o", texts });
    expect(tokens).toBeGreaterThan(10);
  });

  it.each(["\ud800", "\udfff\ud800 a", "\u0000", "\ufffe", "👩‍👩‍👧‍👦", "\r\n\r\n", "a\u0301\u0327"])(
    "counts odd text and does not throw (%#)",
    async (text) => {
      expect(await shared.count({ model: null, texts: [text] })).toBeGreaterThan(0);
    },
  );

  it("gets through a quarter of a megabyte of one letter, which merged in one piece would take minutes", async () => {
    const characters = 256 * 1024;
    const tokens = await shared.count({ model: null, texts: ["a".repeat(characters)] });
    // "aaaaaaaa" is one token.
    expect(tokens).toBe(characters / 8);
  });

  it("approximates by length what is beyond the limit of one request", async () => {
    const tokenizer = create({ maxCountedCharacters: 11 });
    const counted = await tokenizer.count({ model: null, texts: ["hello world"] });
    const longer = await tokenizer.count({ model: null, texts: ["hello worldxxxxxx", "汉字"] });
    expect(longer).toBe(counted + (6 + 6) / 3);
  });

  it("approximates at once when too much waits, and counts again when it has drained", async () => {
    const tokenizer = create({ maxPendingRequests: 2, maxPendingCharacters: 20 });
    const request = { model: null, texts: ["hello world"] };
    const [first, second] = [tokenizer.count(request), tokenizer.count(request)];
    expect(await second).toBe(4);
    expect(await first).toBe(2);
    expect(await tokenizer.count(request)).toBe(2);
  });

  it("answers many counts at once, each its own", async () => {
    const counts = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        shared.count({ model: i % 2 === 0 ? "gpt-4" : "gpt-4o", texts: ["hello ".repeat(i)] }),
      ),
    );
    // "hello hello … hello" is a token a word, and one for the space at the end.
    expect(counts.slice(0, 4)).toEqual([0, 2, 3, 4]);
    expect(counts).toEqual(Array.from({ length: 200 }, (_, i) => (i === 0 ? 0 : i + 1)));
  });

  it("rejects the counts that a dying thread owes, and starts another for the next", async () => {
    const tokenizer = create();
    const request = { model: null, texts: ["hello world"] };
    let owed: Promise<number> | undefined;
    const worker = await threadStartedBy(() => (owed = tokenizer.count(request)));
    await Promise.all([
      expect(owed).rejects.toThrow("the tokenizer's thread ended before it had counted"),
      worker.terminate(),
    ]);
    expect(await tokenizer.count(request)).toBe(2);
  });

  it("rejects when closed, what waits and what comes", async () => {
    const tokenizer = create();
    const request = { model: null, texts: ["hello world"] };
    const waiting = tokenizer.count(request);
    await Promise.all([
      expect(waiting).rejects.toThrow("the tokenizer is closed"),
      tokenizer.close(),
    ]);
    await expect(tokenizer.count(request)).rejects.toThrow("the tokenizer is closed");
    await tokenizer.close();
  });
});
