import { afterEach, describe, expect, it } from "vitest";
import { ANSWER, CHAT, chunk, onlyEvent, post } from "../../test/support/chat.ts";
import { type DataPlane, startDataPlane } from "../../test/support/data-plane.ts";
import {
  createLeaseBook,
  createMemoryLeases,
  hardBudget,
  type MemoryLeases,
} from "../../test/support/memory-leases.ts";
import { until } from "../../test/support/poll.ts";
import { respondJson, startUpstream, type Upstream } from "../../test/support/upstream.ts";
import type { Budget } from "../core/budgets/budget.ts";
import type { LeaseBook } from "../ledger/leases/lease-book.ts";
import { openaiProvider } from "../providers/openai/openai-provider.ts";

/** Published for gpt-4o-mini: $0.15 and $0.60 a million tokens, in picos a token. */
const INPUT = 150_000n;
const OUTPUT = 600_000n;
const CALL = { ...CHAT, max_tokens: 100 };
const STREAM = { ...CALL, stream: true };

let upstream: Upstream;
let gateway: DataPlane;
let leases: MemoryLeases;
let book: LeaseBook;

async function start(
  budgets: readonly Budget[],
  options: Partial<Parameters<typeof startDataPlane>[0]> = {},
): Promise<void> {
  upstream = await startUpstream(respondJson(ANSWER));
  leases = createMemoryLeases();
  book = createLeaseBook(leases, budgets);
  gateway = await startDataPlane({ upstreamUrl: upstream.url, holds: book, ...options });
}

afterEach(async () => {
  await gateway.close();
  await upstream.close();
});

async function errorOf(response: Awaited<ReturnType<typeof post>>) {
  const { error } = (await response.body.json()) as {
    error: { code: string; type: string; message: string };
  };
  return { status: response.statusCode, ...error };
}

describe("a call that a hard budget counts", () => {
  it("is held for the customer that the store will know it by", async () => {
    await start([hardBudget(10n ** 12n, { scope: { kind: "customer", id: null } })]);
    const body = JSON.stringify(CALL).replace("{", String.raw`{"user":"\ud800x",`);
    await (await post(gateway, body)).body.dump();
    const { customer } = await onlyEvent(gateway);
    expect(customer).toBe("\u{fffd}x");
    const [id] = leases.leased.keys();
    expect(id?.split("/").at(-1)).toBe(customer);
  });

  it("is held at its worst case before it is sent, and settled to what it cost", async () => {
    await start([hardBudget(10n ** 12n)]);
    const body = JSON.stringify(CALL);
    const response = await post(gateway, body);
    expect(response.statusCode).toBe(200);
    await response.body.dump();
    const event = await onlyEvent(gateway);
    const held = event.holdPicos ?? 0n;
    // A token takes a byte at least, so the body is an upper bound for what is read; the limit is one for what is written.
    expect(held).toBeGreaterThanOrEqual(100n * OUTPUT + 3n * INPUT);
    // A request that names no tier may be served on the dearest one.
    expect(held).toBeLessThanOrEqual(2n * (100n * OUTPUT + BigInt(body.length + 200) * INPUT));
    expect(gateway.intents[0]?.holdPicos).toBe(held);
    expect(book.heldAgainst(event)).toHaveLength(1);
  });

  it("is refused when it may cost more than is left, and nothing is sent", async () => {
    await start([hardBudget(50n * OUTPUT, { name: "All of it" })]);
    const response = await post(gateway, CALL);
    expect(response.headers).toMatchObject({ "x-should-retry": "false" });
    expect(await errorOf(response)).toMatchObject({
      status: 429,
      code: "insufficient_quota",
      type: "insufficient_quota",
      message: expect.stringMatching(/\$0\.00003 of \$0\.00003 is left.*set-limit bud_test/s),
    });
    expect(upstream.seen).toEqual([]);
    expect(gateway.events).toEqual([]);
    expect(gateway.refusals).toEqual([
      {
        code: "insufficient_quota",
        customer: null,
        // By which an alert tells whose budget turns calls away.
        budgetWindowId: expect.stringContaining("bud_test") as string,
      },
    ]);
  });

  it("is told that calls in flight hold the rest, where that is why it is refused", async () => {
    await start([hardBudget(500n * OUTPUT)]);
    const gate = Promise.withResolvers<void>();
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
    const respond = respondJson({ ...ANSWER, usage });
    upstream.respond = (...call) => void gate.promise.then(() => respond(...call));
    const first = post(gateway, CALL);
    await until("the first call is on its way", () => upstream.seen.length === 1);
    expect(await errorOf(await post(gateway, CALL))).toMatchObject({
      status: 429,
      message: expect.stringMatching(
        /\$\S+ is set aside for calls that have not ended.*free again then/s,
      ),
    });
    gate.resolve();
    expect((await first).statusCode).toBe(200);
    expect((await post(gateway, CALL)).statusCode).toBe(200);
  });

  it.each<[string, object, string | undefined]>([
    ["no stream, and its client leaves before the answer", CALL, undefined],
    ["a stream whose client leaves before anything can be seen of it", STREAM, ": wait\n\n"],
    [
      "a stream of a model that thinks unseen",
      { ...STREAM, model: "o3-mini" },
      chunk({ content: "a" }, { model: "o3-mini" }),
    ],
  ])(
    "counts for what was held where nobody can tell what was made of it: %s",
    async (_, body, head) => {
      await start([hardBudget(10_000_000n * OUTPUT)]);
      upstream.respond = (_req, res) => {
        if (head === undefined) return;
        res.writeHead(200, { "content-type": "text/event-stream" });
        res.write(head);
      };
      const client = new AbortController();
      const answering = fetch(`${gateway.url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${gateway.key}` },
        body: JSON.stringify(body),
        signal: client.signal,
      });
      if (head === undefined) {
        await until("it is on its way", () => upstream.seen.length === 1);
      } else {
        await (await answering).body?.getReader().read();
      }
      client.abort();
      await answering.catch(() => undefined);
      const event = await onlyEvent(gateway);
      expect(event).toMatchObject({
        status: "interrupted",
        usageSource: "unknown",
        costPicos: null,
      });
      expect(event.holdPicos).toBeGreaterThan(0n);
    },
  );

  it("is sent with a lower limit on its output where the budget says so", async () => {
    await start([hardBudget(150n * OUTPUT, { onTightBudget: "clamp" })]);
    const response = await post(gateway, CALL);
    expect(response.statusCode).toBe(200);
    await response.body.dump();
    const limit = Number(response.headers["x-keyward-output-limit"]);
    expect(limit).toBeGreaterThan(0);
    expect(limit).toBeLessThan(100);
    const sent = JSON.parse(String(upstream.seen[0]?.body)) as typeof CALL;
    expect(sent).toEqual({ ...CALL, max_tokens: limit });
  });

  it("does not rely on a limit that the provider may pass over", async () => {
    const { max_tokens: limit, ...rest } = CALL;
    const call = { ...rest, max_completion_tokens: limit };
    await start([hardBudget(400n * OUTPUT)]);
    const sent = await post(gateway, call);
    expect(sent.statusCode).toBe(200);
    await sent.body.dump();
    await gateway.close();
    await upstream.close();
    const passesOver = { ...openaiProvider, ignoredOutputLimits: ["max_completion_tokens"] };
    await start([hardBudget(400n * OUTPUT)], { provider: passesOver });
    expect(await errorOf(await post(gateway, call))).toMatchObject({ code: "insufficient_quota" });
    expect(upstream.seen).toEqual([]);
  });

  it("is refused where no output at all can be paid for", async () => {
    await start([hardBudget(1000n, { onTightBudget: "clamp" })]);
    expect(await errorOf(await post(gateway, CALL))).toMatchObject({ code: "insufficient_quota" });
    expect(upstream.seen).toEqual([]);
  });

  it("is refused when its model has no price, unless the environment says what to hold", async () => {
    await start([hardBudget(10n ** 12n)]);
    const refused = await errorOf(await post(gateway, { ...CALL, model: "nobody-knows" }));
    expect(refused).toMatchObject({ status: 403, code: "cost_unbounded" });
    expect(upstream.seen).toEqual([]);
  });

  it("is told nothing of the team's own budgets when its key is a customer's", async () => {
    const budgets = [hardBudget(1n, { name: "the team's" })];
    await start(budgets, { keyEntry: { customer: "acme" } });
    const { code, message } = await errorOf(await post(gateway, CALL));
    expect(code).toBe("insufficient_quota");
    expect(message).not.toMatch(/\$|team|bud_/);
    book.replaceBudgets([hardBudget(1n, { scope: { kind: "customer", id: "acme" } })]);
    const own = await errorOf(await post(gateway, CALL));
    expect(own.message).toContain('for the customer "acme"');
  });

  it("passes an empty budget when it is free", async () => {
    await start([hardBudget(0n)]);
    const response = await fetch(`${gateway.url}/v1/models`, {
      headers: { authorization: `Bearer ${gateway.key}` },
    });
    expect(response.status).toBe(200);
    expect(await errorOf(await post(gateway, CALL))).toMatchObject({ code: "insufficient_quota" });
  });

  it("passes budgets that are soft, paused, or for other models", async () => {
    await start([
      hardBudget(0n, { enforcement: "soft" }),
      hardBudget(0n, { pausedAtMs: 1 }),
      hardBudget(0n, { models: ["gpt-4o"] }),
      hardBudget(0n, { scope: { kind: "customer", id: null } }),
    ]);
    const response = await post(gateway, CALL);
    expect(response.statusCode).toBe(200);
    await response.body.dump();
    expect((await onlyEvent(gateway)).holdPicos).toBeNull();
    const ofCustomer = await post(gateway, CALL, { "x-keyward-customer": "acme" });
    expect(await errorOf(ofCustomer)).toMatchObject({
      code: "insufficient_quota",
      message: expect.stringContaining('for the customer "acme"'),
    });
  });

  it("goes on within its leases while the store is away, and is refused beyond them", async () => {
    await start([hardBudget(10n ** 12n)]);
    const first = await post(gateway, CALL);
    await first.body.dump();
    expect(first.statusCode).toBe(200);
    leases.isAway = true;
    let refused: Awaited<ReturnType<typeof errorOf>> | undefined;
    for (let n = 0; n < 50 && refused === undefined; n += 1) {
      const response = await post(gateway, CALL);
      if (response.statusCode === 200) await response.body.dump();
      else refused = await errorOf(response);
    }
    expect(refused).toMatchObject({ status: 503, code: "budget_unavailable" });
    leases.isAway = false;
    const again = await post(gateway, CALL);
    expect(again.statusCode).toBe(200);
    await again.body.dump();
  });

  it("holds nothing any more when it could not be journalled, or was refused by the provider", async () => {
    // Enough for one of them, on the dearest tier, and not for two.
    await start([hardBudget(400n * OUTPUT)]);
    gateway.isJournalBroken = true;
    expect(await errorOf(await post(gateway, CALL))).toMatchObject({ code: "journal_unavailable" });
    gateway.isJournalBroken = false;
    upstream.respond = respondJson({ error: { message: "no" } }, 400);
    for (let n = 0; n < 3; n += 1) {
      const response = await post(gateway, CALL);
      expect(response.statusCode).toBe(400);
      await response.body.dump();
    }
  });
});
