/** Runs of assistants, by answers that the compiler holds to the official client's types. */
import type { Run } from "openai/resources/beta/threads/runs/runs";
import { request } from "undici";
import { describe, expect, it } from "vitest";
import { collectorFixture, type CollectorUnderTest } from "../support/collector-fixture.ts";
import type { Respond } from "../support/upstream.ts";

const { start } = collectorFixture();

function run(change: Partial<Run> = {}): Run {
  return {
    id: "run_1",
    object: "thread.run",
    thread_id: "thread_1",
    assistant_id: "asst_1",
    created_at: 1,
    started_at: null,
    completed_at: null,
    cancelled_at: null,
    failed_at: null,
    expires_at: 1,
    status: "queued",
    model: "gpt-4o-mini",
    instructions: "",
    incomplete_details: null,
    last_error: null,
    max_completion_tokens: null,
    max_prompt_tokens: null,
    metadata: null,
    parallel_tool_calls: true,
    required_action: null,
    response_format: "auto",
    tool_choice: "auto",
    tools: [],
    truncation_strategy: null,
    usage: null,
    ...change,
  };
}

const USAGE: Run["usage"] = { prompt_tokens: 1000, completion_tokens: 500, total_tokens: 1500 };
const DONE = run({ status: "completed", usage: USAGE });
/** 1,000 × $0.15 + 500 × $0.60, for a million. */
const COST_PICOS = 450_000_000n;

function json(now: () => Run): Respond {
  return (req, res) => {
    const isCreated = req.method === "POST" && req.url?.endsWith("/runs");
    res.writeHead(200, { "content-type": "application/json" });
    res.end(JSON.stringify(isCreated ? run() : now()));
  };
}

function events(...named: readonly (readonly [string, object])[]): string {
  return [...named, ["done", undefined] as const]
    .map(([name, data]) => `event: ${name}\ndata: ${data ? JSON.stringify(data) : "[DONE]"}\n\n`)
    .join("");
}

async function call(test: CollectorUnderTest, path: string, body?: object): Promise<void> {
  const res = await request(`${test.gateway.url}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      authorization: `Bearer ${test.gateway.key}`,
      "openai-beta": "assistants=v2",
      ...(body && { "content-type": "application/json" }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  await res.body.text();
}

describe("a run of an assistant", () => {
  it.each(["/v1/threads/thread_1/runs", "/v1/threads/runs"])(
    "that %s began is charged once, when it has ended",
    async (path) => {
      let now = run({ status: "requires_action" });
      const test = await start(json(() => now));
      await call(test, path, { assistant_id: "asst_1" });
      await call(test, "/v1/threads/thread_1/runs/run_1");
      await call(test, "/v1/threads/thread_1/runs/run_1/submit_tool_outputs", { tool_outputs: [] });
      await test.flush();
      expect(await test.pending()).toMatchObject([
        { work: { path: "/threads/thread_1/runs/run_1" } },
      ]);
      now = DONE;
      test.collect();
      test.aheadMs = 60_000;
      await test.settled();
      await call(test, "/v1/threads/thread_1/runs/run_1");
      await call(test, "/v1/threads/thread_1/runs/run_1/cancel", {});
      await test.flush();
      const asked = test.upstream.seen.find(({ headers }) => headers["accept"] === "*/*");
      expect(asked?.headers["openai-beta"]).toBe("assistants=v2");
      expect(await test.charges()).toMatchObject([
        { usageSource: "reported", costPicos: COST_PICOS, providerResponseId: "run_1" },
      ]);
      const { rows } = await test.store.usage.summarize({ limit: 1 }, { groupBy: [] });
      expect(rows[0]).toMatchObject({ costPicos: COST_PICOS, unpricedCalls: 0, unmeteredCalls: 0 });
    },
  );

  it("that is streamed to its end is charged at once, by the run and not by its steps as well", async () => {
    const step = { id: "step_1", object: "thread.run.step", usage: USAGE, status: "completed" };
    const body = events(
      ["thread.created", { id: "thread_1", object: "thread" }],
      ["thread.run.created", run()],
      ["thread.run.step.completed", step],
      ["thread.run.completed", DONE],
    );
    const test = await start((_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.end(body);
    });
    await call(test, "/v1/threads/runs", { assistant_id: "asst_1", stream: true });
    await test.flush();
    expect(await test.pending()).toEqual([]);
    expect(await test.events()).toMatchObject([
      { operation: "threads.runs.with_thread", usageSource: "reported", costPicos: COST_PICOS },
    ]);
  });

  it("that waits for its tools is charged by the stream that went on with it", async () => {
    const asking = run({ status: "requires_action" });
    const step = { id: "step_1", object: "thread.run.step", usage: USAGE, status: "completed" };
    const test = await start((req, res) => {
      const isGoingOn = req.url?.endsWith("/submit_tool_outputs");
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.end(
        isGoingOn
          ? events(["thread.run.step.completed", step], ["thread.run.completed", DONE])
          : events(
              ["thread.run.created", run()],
              ["thread.run.step.completed", step],
              ["thread.run.requires_action", asking],
            ),
      );
    });
    const path = "/v1/threads/thread_1/runs";
    await call(test, path, { assistant_id: "asst_1", stream: true });
    await test.flush();
    expect(await test.events()).toMatchObject([{ usageSource: "deferred" }]);
    await call(test, `${path}/run_1/submit_tool_outputs`, { tool_outputs: [], stream: true });
    await test.flush();
    test.collect();
    await test.settled();
    expect(await test.charges()).toMatchObject([{ costPicos: COST_PICOS }]);
    const { rows } = await test.store.usage.summarize({ limit: 1 }, { groupBy: [] });
    expect(rows[0]?.costPicos).toBe(COST_PICOS);
  });

  it.each([
    ["failed", { status: "failed", usageSource: "none", costPicos: 0n }],
    ["expired", { status: "interrupted", usageSource: "unknown", costPicos: null }],
  ] as const)("that has %s without a usage says so", async (status, expected) => {
    const test = await start(json(() => run({ status })));
    await call(test, "/v1/threads/thread_1/runs", { assistant_id: "asst_1" });
    await test.flush();
    test.collect();
    test.aheadMs = 60_000;
    await test.settled();
    expect(await test.charges()).toMatchObject([expected]);
  });
});
