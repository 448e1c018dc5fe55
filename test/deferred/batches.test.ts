/** Batches, by the official client. Their files are the test's own; the objects are held to the client's types. */
import type { ServerResponse } from "node:http";
import { setImmediate } from "node:timers/promises";
import type { Batch } from "openai/resources/batches";
import type { ChatCompletion } from "openai/resources/chat/completions";
import { describe, expect, it } from "vitest";
import { formatUsd, picos } from "../../src/core/money/picos.ts";
import { collectorFixture } from "../support/collector-fixture.ts";
import { until } from "../support/poll.ts";
import type { Respond } from "../support/upstream.ts";

const { start } = collectorFixture();

const CREATE = {
  input_file_id: "file-in",
  endpoint: "/v1/chat/completions",
  completion_window: "24h",
} as const;

function batch(change: Partial<Batch> = {}): Batch {
  return {
    id: "batch_1",
    object: "batch",
    endpoint: "/v1/chat/completions",
    input_file_id: "file-in",
    completion_window: "24h",
    created_at: 1,
    status: "validating",
    ...change,
  };
}

const DONE = batch({
  status: "completed",
  output_file_id: "file-out",
  model: "gpt-4o-mini-2024-07-18",
  request_counts: { total: 3, completed: 2, failed: 1 },
});

function completion(id: string, model: string, [input, output]: [number, number]): ChatCompletion {
  return {
    id,
    object: "chat.completion",
    created: 1,
    model,
    choices: [],
    usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
  };
}

function line(body: unknown, status = 200): string {
  const response = { status_code: status, request_id: "r", body };
  return `${JSON.stringify({ id: "batch_req_1", custom_id: "a", response, error: null })}\n`;
}

interface Provider {
  readonly respond: Respond;
  now: Batch;
  /** What the output file is answered with; null = it is gone. */
  file: string | null;
  /** How many bytes of it are sent before the connection breaks. */
  cutAt: number | undefined;
  /** Each byte is sent on its own. */
  isDripping: boolean;
  files: number;
}

function createProvider(): Provider {
  const provider: Provider = {
    now: batch({ status: "in_progress" }),
    file: "",
    cutAt: undefined,
    isDripping: false,
    files: 0,
    respond: (req, res) => {
      if (req.url === "/v1/files/file-out/content") {
        provider.files += 1;
        if (provider.file === null) {
          res.writeHead(404).end("{}");
          return;
        }
        const bytes = Buffer.from(provider.file);
        res.writeHead(200, { "content-length": bytes.length });
        if (provider.isDripping) void drip(res, bytes);
        else if (provider.cutAt === undefined) res.end(bytes);
        else res.write(bytes.subarray(0, provider.cutAt), () => res.destroy());
        return;
      }
      const isCreated = req.method === "POST" && req.url === "/v1/batches";
      res.writeHead(200, { "content-type": "application/json" });
      res.end(JSON.stringify(isCreated ? batch() : provider.now));
    },
  };
  return provider;
}

async function drip(res: ServerResponse, bytes: Buffer): Promise<void> {
  for (const byte of bytes) {
    res.write(Buffer.of(byte));
    await setImmediate();
  }
  res.end();
}

const usd = (amount: bigint | null | undefined) => formatUsd(picos(amount ?? 0n));

describe("a batch", () => {
  it("is charged once for an answer whose line is there twice, and not for blank lines wherever they are cut", async () => {
    const provider = createProvider();
    const test = await start(provider.respond);
    await test.client.batches.create(CREATE);
    await test.flush();
    provider.now = DONE;
    const one = line(completion("chatcmpl-1", "gpt-4o-mini-2024-07-18", [1000, 500]));
    const other = line(completion("chatcmpl-2", "gpt-4o-mini-2024-07-18", [1000, 500]));
    const padding = " ".repeat(7);
    provider.file = `${one}\r\n${other}${padding}\n${one}\r\n${other}${one}\n`;
    provider.isDripping = true;
    test.collect();
    test.aheadMs = 60_000;
    await test.settled();
    const ids = (await test.charges()).map((event) => event.providerResponseId);
    expect(ids).toHaveLength(2);
    expect(new Set(ids)).toEqual(new Set(["chatcmpl-1", "chatcmpl-2"]));
  });

  it("is charged by each line of its output, by the line's own model, at half price; errors are free", async () => {
    const provider = createProvider();
    const test = await start(provider.respond);
    const headers = { "x-keyward-customer": "acme" };
    await test.client.batches.create(CREATE, { headers });
    await test.flush();
    const [created] = await test.events();
    expect(created).toMatchObject({ operation: "batches", usageSource: "deferred", costPicos: 0n });
    provider.now = DONE;
    provider.file =
      line(completion("chatcmpl-1", "gpt-4o-mini-2024-07-18", [1000, 500])) +
      line({ error: { message: "too many requests" } }, 429) +
      `${JSON.stringify({ id: "b", custom_id: "c", response: null, error: { code: "expired" } })}\n` +
      line(completion("chatcmpl-2", "gpt-4o-2024-08-06", [1000, 500]));
    test.collect();
    test.aheadMs = 60_000;
    await test.settled();
    const charges = await test.charges();
    const byId = new Map(charges.map((event) => [event.providerResponseId, event]));
    expect(charges).toHaveLength(2);
    // Half of 1,000 × $0.15 + 500 × $0.60, and of 1,000 × $2.50 + 500 × $10, for a million.
    expect(usd(byId.get("chatcmpl-1")?.costPicos)).toBe("0.000225");
    expect(usd(byId.get("chatcmpl-2")?.costPicos)).toBe("0.00375");
    for (const event of charges) {
      expect(event).toMatchObject({
        requestId: created?.requestId,
        customer: "acme",
        operation: "batches.deferred",
        path: "/v1/batches/batch_1",
        serviceTier: "batch",
        usageSource: "reported",
        pricing: "priced",
      });
    }
  });

  it("is looked at as soon as its client sees that it has ended", async () => {
    const provider = createProvider();
    const test = await start(provider.respond);
    await test.client.batches.create(CREATE);
    provider.now = DONE;
    provider.file = line(completion("chatcmpl-1", "gpt-4o-mini-2024-07-18", [1, 1]));
    await test.client.batches.retrieve("batch_1");
    await test.flush();
    test.collect();
    await test.settled();
    await test.client.batches.retrieve("batch_1");
    await test.client.batches.cancel("batch_1");
    await test.flush();
    expect(await test.charges()).toHaveLength(1);
    expect((await test.events()).filter(({ costPicos }) => costPicos !== 0n)).toHaveLength(1);
  });

  it("is charged once and in whole when its file breaks off in the middle", async () => {
    const provider = createProvider();
    const test = await start(provider.respond);
    await test.client.batches.create(CREATE);
    await test.flush();
    provider.now = DONE;
    provider.file = Array.from({ length: 500 }, (_, i) =>
      line(completion(`chatcmpl-${i}`, "gpt-4o-mini-2024-07-18", [10, i])),
    ).join("");
    provider.cutAt = provider.file.length >> 1;
    test.collect();
    test.aheadMs = 60_000;
    await until("it broke off", async () => (await test.pending())[0]?.problem === "unreachable");
    expect(await test.charges()).toEqual([]);
    provider.cutAt = undefined;
    test.aheadMs = 600_000;
    await test.settled();
    const charges = await test.charges();
    expect(charges).toHaveLength(500);
    expect(new Set(charges.map(({ providerResponseId: id }) => id)).size).toBe(500);
    const cost = charges.reduce((sum, { costPicos }) => sum + (costPicos ?? 0n), 0n);
    // 5,000 input tokens at $0.075 and 0 + 1 + … + 499 output tokens at $0.30, for a million.
    expect(usd(cost)).toBe("0.0378");
  });

  it("prices each request by its own length: a thousand short ones are no long context", async () => {
    const provider = createProvider();
    const test = await start(provider.respond);
    await test.client.batches.create(CREATE);
    await test.flush();
    provider.now = DONE;
    provider.file = Array.from({ length: 300 }, (_, index) =>
      line(completion(`c${index}`, "gpt-5.4", [1000, 0])),
    ).join("");
    test.collect();
    test.aheadMs = 60_000;
    await test.settled();
    const costs = new Set((await test.charges()).map(({ costPicos }) => costPicos));
    const { rows } = await test.store.usage.summarize({ limit: 1 }, { groupBy: [] });
    expect(costs.size).toBe(1);
    const [cost] = costs;
    expect(cost).not.toBeNull();
    expect(rows[0]?.costPicos).toBe(300n * (cost ?? 0n));
  });

  it("whose output file is gone is charged by the sum in the batch, as an estimate", async () => {
    const provider = createProvider();
    const test = await start(provider.respond);
    await test.client.batches.create(CREATE);
    await test.flush();
    provider.file = null;
    provider.now = {
      ...DONE,
      usage: {
        input_tokens: 1000,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: 500,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 1500,
      },
    };
    test.collect();
    test.aheadMs = 60_000;
    await test.settled();
    const [charge, ...more] = await test.charges();
    expect(more).toEqual([]);
    expect(charge).toMatchObject({ usageSource: "estimated", serviceTier: "batch" });
    expect(usd(charge?.costPicos)).toBe("0.000225");
  });

  it("whose output file and sum are both gone is unknown, not free", async () => {
    const provider = createProvider();
    const test = await start(provider.respond);
    await test.client.batches.create(CREATE);
    await test.flush();
    provider.file = null;
    provider.now = DONE;
    test.collect();
    test.aheadMs = 60_000;
    await test.settled();
    expect(await test.charges()).toMatchObject([
      { usageSource: "unknown", pricing: "unpriced", costPicos: null },
    ]);
  });

  it.each([
    ["failed", batch({ status: "failed" }), "", { status: "failed", costPicos: 0n }],
    [
      "was cancelled before it did anything",
      batch({ status: "cancelled", request_counts: { total: 3, completed: 0, failed: 0 } }),
      "",
      { status: "interrupted", usageSource: "none", costPicos: 0n },
    ],
    [
      "ran out of time",
      batch({ status: "expired", output_file_id: "file-out" }),
      line(completion("chatcmpl-1", "gpt-4o-mini-2024-07-18", [1000, 500])),
      { status: "succeeded", usageSource: "reported", costPicos: 225_000_000n },
    ],
    [
      "has a line that cannot be read",
      batch({ status: "completed", output_file_id: "file-out" }),
      `not JSON\n${line(completion("chatcmpl-1", "gpt-4o-mini-2024-07-18", [1000, 500]))}`,
      { usageSource: "unknown", pricing: "unpriced", costPicos: null },
    ],
  ] as const)("that %s says so", async (_name, now, file, expected) => {
    const provider = createProvider();
    const test = await start(provider.respond);
    await test.client.batches.create(CREATE);
    await test.flush();
    provider.now = now;
    provider.file = file;
    test.collect();
    test.aheadMs = 60_000;
    await test.settled();
    expect(await test.charges()).toContainEqual(expect.objectContaining(expected));
  });

  it("keeps nothing of what was asked and answered", async () => {
    const provider = createProvider();
    const test = await start(provider.respond);
    const secret = ["the", "patient", "is", "ill"].join(" ");
    await test.client.batches.create({ ...CREATE, metadata: { note: secret } });
    await test.flush();
    provider.now = { ...DONE, metadata: { note: secret } };
    const answer = completion("chatcmpl-1", "gpt-4o-mini-2024-07-18", [1, 1]);
    provider.file = line({ ...answer, choices: [{ message: { content: secret } }] });
    test.collect();
    test.aheadMs = 60_000;
    await test.settled();
    const events = JSON.stringify(await test.events(), (_key, value: unknown) =>
      typeof value === "bigint" ? String(value) : value,
    );
    expect(events).not.toContain("patient");
    expect(JSON.stringify(test.logged)).not.toContain("patient");
  });
});
