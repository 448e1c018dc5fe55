import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withOutputLimit } from "../../src/core/budgets/call-bound.ts";
import { affordableOutput, worstCaseOf } from "../../src/core/budgets/worst-case.ts";
import { picos } from "../../src/core/money/picos.ts";
import { BUILT_IN_PRICE_LIST } from "../../src/core/pricing/built-in-price-list.ts";
import type { Quantities } from "../../src/core/usage/quantities.ts";
import { countPromptTokens } from "../../src/providers/simulator/content/prompt-tokens.ts";
import {
  amountOf,
  boundDeps,
  boundOf,
  BOUND_AT_MS,
  shippedPrices,
  wayTo,
} from "../support/call-bounds.ts";

const CHAT = "/v1/chat/completions";
const MESSAGES = "/v1/messages";
const hello = [{ role: "user", content: "Hello" }];

describe("the limit that an amount can pay for", () => {
  it("is the highest one: a token more would cost too much", () => {
    const models = fc.constantFrom("gpt-4o", "gpt-4.1-mini", "o3", "gpt-5");
    const limits = fc.record({
      max_tokens: fc.integer({ min: 1, max: 9000 }),
      n: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(models, limits, fc.bigInt(0n, 200_000_000_000n), (model, given, amount) => {
        const bound = boundOf(CHAT, { model, messages: hello, ...given });
        const found = affordableOutput(boundDeps, wayTo(model), {
          bound,
          amountPicos: picos(amount),
        });
        const costAt = (tokens: number): bigint =>
          amountOf(
            worstCaseOf(boundDeps, wayTo(model), withOutputLimit(bound, "max_tokens", tokens)),
          );
        if (found === null) expect(costAt(1)).toBeGreaterThan(amount);
        else {
          expect(costAt(found)).toBeLessThanOrEqual(amount);
          expect(found).toBeLessThanOrEqual(given.max_tokens);
          if (found < given.max_tokens) expect(costAt(found + 1)).toBeGreaterThan(amount);
        }
      }),
    );
  });

  it("leaves room for what is thought, and is none where the endpoint would take none", () => {
    const ample = picos(10_000_000_000_000n);
    const thinking = { type: "enabled", budget_tokens: 2000 };
    const thought = boundOf(MESSAGES, {
      model: "claude-sonnet-4-6",
      max_tokens: 4000,
      thinking,
      messages: hello,
    });
    const claude = wayTo("claude-sonnet-4-6", "anthropic");
    expect(affordableOutput(boundDeps, claude, { bound: thought, amountPicos: ample })).toBe(4000);
    expect(
      affordableOutput(boundDeps, claude, { bound: thought, amountPicos: picos(20_000_000_000n) }),
    ).toBeNull();
    const embedding = boundOf("/v1/embeddings", { model: "text-embedding-3-small", input: "a" });
    const small = wayTo("text-embedding-3-small");
    expect(affordableOutput(boundDeps, small, { bound: embedding, amountPicos: ample })).toBeNull();
  });
});

describe("no call costs more than its worst case", () => {
  const listed = BUILT_IN_PRICE_LIST.providers.flatMap(({ name, models }) =>
    models.map(([id]) => ({ provider: name, model: id })),
  );
  const content = fc.oneof(
    fc.string({ unit: "binary", maxLength: 400 }),
    fc.array(
      fc.oneof(
        fc.record({
          type: fc.constant("text"),
          text: fc.string({ unit: "grapheme", maxLength: 200 }),
        }),
        fc.constant({ type: "image_url", image_url: { url: "https://example.com/a.png" } }),
      ),
      { maxLength: 4 },
    ),
  );
  const requests = fc.record(
    {
      messages: fc.array(fc.record({ role: fc.constantFrom("user", "system"), content }), {
        minLength: 1,
        maxLength: 5,
      }),
      max_tokens: fc.integer({ min: 1, max: 4096 }),
      n: fc.integer({ min: 1, max: 5 }),
      service_tier: fc.constantFrom("auto", "default", "flex", "priority"),
    },
    { requiredKeys: ["messages", "max_tokens"] },
  );
  /** How a provider may divide what was consumed into classes, in thousandths. */
  const shares = fc.record({
    cached: fc.nat(1000),
    written: fc.nat(1000),
    reasoning: fc.nat(1000),
    output: fc.nat(1000),
  });

  it("on any model of the list, on any tier that the request allows, however its tokens are divided", () => {
    let compared = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...listed),
        requests,
        shares,
        ({ provider, model }, request, share) => {
          const most = worstCaseOf(
            boundDeps,
            wayTo(model, provider),
            boundOf(CHAT, { model, ...request }),
          );
          // What the simulator bills for the same messages.
          const input = countPromptTokens(request.messages);
          const output = Math.floor((request.max_tokens * (request.n ?? 1) * share.output) / 1000);
          const quantities = divide({ input, output }, share);
          for (const serviceTier of ["default", request.service_tier ?? "priority"]) {
            const tier = serviceTier === "auto" ? "priority" : serviceTier;
            const rating = shippedPrices.rate({
              provider,
              model,
              serviceTier: tier,
              variant: null,
              atMs: BOUND_AT_MS,
              quantities,
            });
            if (rating.costPicos === null || most.kind !== "bounded") continue;
            compared += 1;
            expect(BigInt(most.amount)).toBeGreaterThanOrEqual(rating.costPicos);
          }
        },
      ),
      { numRuns: 1500 },
    );
    expect(compared).toBeGreaterThan(500);
  });
});

function divide(
  total: { readonly input: number; readonly output: number },
  share: { readonly cached: number; readonly written: number; readonly reasoning: number },
): Quantities {
  const cachedInput = Math.floor((total.input * share.cached) / 1000);
  const cacheWriteInput = Math.floor(((total.input - cachedInput) * share.written) / 1000);
  const reasoningOutput = Math.floor((total.output * share.reasoning) / 1000);
  return {
    input: total.input - cachedInput - cacheWriteInput,
    cachedInput,
    cacheWriteInput,
    reasoningOutput,
    output: total.output - reasoningOutput,
  };
}
