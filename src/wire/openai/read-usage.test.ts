import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { totalInputTokens, totalOutputTokens } from "../../core/usage/quantities.ts";
import {
  COMPLETION_USAGE,
  EMBEDDING_USAGE,
  MAX_TOKENS_PER_CALL,
  RESPONSE_USAGE,
  readUsage,
} from "./read-usage.ts";

describe("readUsage", () => {
  it("takes cached tokens out of the input", () => {
    const usage = {
      prompt_tokens: 2006,
      completion_tokens: 300,
      total_tokens: 2306,
      prompt_tokens_details: { cached_tokens: 1920 },
      completion_tokens_details: { reasoning_tokens: 0 },
    };
    expect(readUsage(usage, COMPLETION_USAGE)).toEqual({
      input: 86,
      cachedInput: 1920,
      output: 300,
    });
  });

  it("takes cache writes, audio and images out of the input, reasoning and audio out of the output", () => {
    const usage = {
      prompt_tokens: 1000,
      completion_tokens: 500,
      prompt_tokens_details: {
        cached_tokens: 100,
        cache_write_tokens: 200,
        audio_tokens: 300,
        image_tokens: 50,
      },
      completion_tokens_details: {
        reasoning_tokens: 120,
        audio_tokens: 80,
        accepted_prediction_tokens: 10,
        rejected_prediction_tokens: 40,
      },
    };
    expect(readUsage(usage, COMPLETION_USAGE)).toEqual({
      input: 350,
      cachedInput: 100,
      cacheWriteInput: 200,
      audioInput: 300,
      imageInput: 50,
      output: 300,
      reasoningOutput: 120,
      audioOutput: 80,
    });
  });

  it("reads the Responses API's names", () => {
    const usage = {
      input_tokens: 328,
      input_tokens_details: { cached_tokens: 128, cache_write_tokens: 0 },
      output_tokens: 52,
      output_tokens_details: { reasoning_tokens: 32 },
      total_tokens: 380,
    };
    expect(readUsage(usage, RESPONSE_USAGE)).toEqual({
      input: 200,
      cachedInput: 128,
      output: 20,
      reasoningOutput: 32,
    });
  });

  it("counts reasoning that a provider leaves out of the completion tokens (xAI)", () => {
    const usage = {
      prompt_tokens: 10_120,
      completion_tokens: 1499,
      total_tokens: 14_428,
      prompt_tokens_details: { cached_tokens: 128 },
      completion_tokens_details: { reasoning_tokens: 2809 },
    };
    expect(readUsage(usage, COMPLETION_USAGE)).toEqual({
      input: 9992,
      cachedInput: 128,
      output: 1499,
      reasoningOutput: 2809,
    });
  });

  it("counts reasoning that only the total of all tells (Gemini)", () => {
    const usage = { prompt_tokens: 20, completion_tokens: 198, total_tokens: 623 };
    expect(readUsage(usage, COMPLETION_USAGE)).toEqual({ input: 20, output: 603 });
  });

  it("ignores a total of all that is too small", () => {
    const usage = { prompt_tokens: 20, completion_tokens: 30, total_tokens: 7 };
    expect(readUsage(usage, COMPLETION_USAGE)).toEqual({ input: 20, output: 30 });
  });

  it("keeps an explicit zero as a report of zero", () => {
    const usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
    expect(readUsage(usage, COMPLETION_USAGE)).toEqual({ input: 0, output: 0 });
  });

  it.each([
    ["absent", undefined],
    ["null", null],
    ["a list", []],
    ["a text", "10"],
    ["empty", {}],
  ])("reports nothing when the usage is %s", (_, usage) => {
    expect(readUsage(usage, COMPLETION_USAGE)).toBeNull();
  });

  it.each([-1, 1.5, "12", Number.NaN, Number.POSITIVE_INFINITY, true, MAX_TOKENS_PER_CALL + 1])(
    "reports nothing when a total is %s",
    (bad) => {
      const good = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
      expect(readUsage({ ...good, prompt_tokens: bad }, COMPLETION_USAGE)).toBeNull();
      expect(readUsage({ ...good, completion_tokens: bad }, COMPLETION_USAGE)).toBeNull();
      expect(readUsage({ ...good, total_tokens: bad }, COMPLETION_USAGE)).toEqual({
        input: 1,
        output: 2,
      });
    },
  );

  it("works the third total out of the other two", () => {
    expect(readUsage({ completion_tokens: 2, total_tokens: 5 }, COMPLETION_USAGE)).toEqual({
      input: 3,
      output: 2,
    });
    expect(readUsage({ prompt_tokens: 2, total_tokens: 5 }, COMPLETION_USAGE)).toEqual({
      input: 2,
      output: 3,
    });
    expect(readUsage({ prompt_tokens: 2 }, COMPLETION_USAGE)).toBeNull();
    expect(readUsage({ prompt_tokens: 6, total_tokens: 5 }, COMPLETION_USAGE)).toBeNull();
    expect(readUsage({ completion_tokens: 6, total_tokens: 5 }, COMPLETION_USAGE)).toBeNull();
  });

  it("reads embeddings with either total, and no output", () => {
    expect(readUsage({ prompt_tokens: 8, total_tokens: 8 }, EMBEDDING_USAGE)).toEqual({ input: 8 });
    expect(readUsage({ total_tokens: 8 }, EMBEDDING_USAGE)).toEqual({ input: 8 });
  });

  it("takes cache reads from where DeepSeek and Moonshot report them, unless the usual place has them", () => {
    const totals = { prompt_tokens: 100, completion_tokens: 1 };
    expect(readUsage({ ...totals, prompt_cache_hit_tokens: 64 }, COMPLETION_USAGE)).toEqual({
      input: 36,
      cachedInput: 64,
      output: 1,
    });
    const both = { ...totals, cached_tokens: 64, prompt_tokens_details: { cached_tokens: 10 } };
    expect(readUsage(both, COMPLETION_USAGE)).toEqual({ input: 90, cachedInput: 10, output: 1 });
  });

  it("takes cached tokens for text first, then images, and for audio only where nothing else is left", () => {
    expect(readMixed(50)).toEqual({
      cachedInput: 50,
      imageInput: 20,
      audioInput: 30,
      input: 0,
      output: 0,
    });
    expect(readMixed(60)).toEqual({
      cachedInput: 60,
      imageInput: 10,
      audioInput: 30,
      input: 0,
      output: 0,
    });
    expect(readMixed(90)).toEqual({
      cachedInput: 70,
      cachedAudioInput: 20,
      audioInput: 10,
      input: 0,
      output: 0,
    });
  });

  const anyCount = fc.oneof(
    fc.nat(5000),
    fc.constantFrom(undefined, null, -1, 0.5, "7", Number.NaN, true, {}, MAX_TOKENS_PER_CALL),
  );
  const anyUsage = fc.record({
    prompt_tokens: anyCount,
    completion_tokens: anyCount,
    total_tokens: anyCount,
    cached_tokens: anyCount,
    prompt_cache_hit_tokens: anyCount,
    prompt_tokens_details: fc.record({
      cached_tokens: anyCount,
      cache_write_tokens: anyCount,
      audio_tokens: anyCount,
      image_tokens: anyCount,
    }),
    completion_tokens_details: fc.record({
      reasoning_tokens: anyCount,
      audio_tokens: anyCount,
      image_tokens: anyCount,
    }),
  });

  it("gives non-negative integers for any usage whatever", () => {
    fc.assert(
      fc.property(anyUsage, fc.constantFrom(COMPLETION_USAGE, EMBEDDING_USAGE), (usage, shape) => {
        for (const count of Object.values(readUsage(usage, shape) ?? {})) {
          expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
        }
      }),
    );
  });

  it("counts each token once: the classes sum up to the reported totals, whatever the details", () => {
    fc.assert(
      fc.property(
        anyUsage,
        fc.nat(5000),
        fc.nat(5000),
        fc.nat(5000),
        (usage, input, output, more) => {
          const reported = {
            ...usage,
            prompt_tokens: input,
            completion_tokens: output,
            total_tokens: input + output + more,
          };
          const quantities = readUsage(reported, COMPLETION_USAGE) ?? {};
          expect(totalInputTokens(quantities)).toBe(input);
          expect(totalOutputTokens(quantities)).toBe(output + more);
        },
      ),
    );
  });
});

/** 50 text, 20 image and 30 audio tokens, of which some were cached. */
function readMixed(cached: number) {
  const details = { cached_tokens: cached, audio_tokens: 30, image_tokens: 20 };
  const usage = { prompt_tokens: 100, completion_tokens: 0, prompt_tokens_details: details };
  return readUsage(usage, COMPLETION_USAGE);
}
