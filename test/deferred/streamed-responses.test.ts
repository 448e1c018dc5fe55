/** Streamed responses in background mode, by the official client and its published types. */
import type { ResponseStreamEvent } from "openai/resources/responses/responses";
import { describe, expect, it } from "vitest";
import { ASK, DONE, response } from "../support/background-provider.ts";
import { collectorFixture } from "../support/collector-fixture.ts";
import type { Respond } from "../support/upstream.ts";

const { start } = collectorFixture();

function stream(events: readonly Partial<ResponseStreamEvent>[], isCut: boolean): Respond {
  return (req, res) => {
    if (req.method === "GET") {
      res.writeHead(200, { "content-type": "application/json" });
      res.end(JSON.stringify(DONE));
      return;
    }
    res.writeHead(200, { "content-type": "text/event-stream" });
    for (const event of events) {
      res.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    }
    if (!isCut) res.end();
  };
}

describe("a streamed response in background mode", () => {
  const created: Partial<ResponseStreamEvent> = {
    type: "response.created",
    sequence_number: 0,
    response: response(),
  };
  const delta: Partial<ResponseStreamEvent> = {
    type: "response.output_text.delta",
    sequence_number: 1,
    delta: "one two three",
  };
  const completed: Partial<ResponseStreamEvent> = {
    type: "response.completed",
    sequence_number: 2,
    response: DONE,
  };

  it("is charged at once when it is read to its end, and never again", async () => {
    const test = await start(stream([created, delta, completed], false));
    const events = await test.client.responses.create({ ...ASK, stream: true });
    for await (const event of events) expect(event.type).toMatch(/^response\./);
    await test.client.responses.retrieve("resp_1");
    await test.flush();
    expect(await test.pending()).toEqual([]);
    const [event, read] = await test.events();
    expect(event).toMatchObject({ usageSource: "reported", quantities: { output: 1200 } });
    expect(read).toMatchObject({ usageSource: "none", costPicos: 0n });
  });

  it("goes on without a client that leaves it, and is charged when it has ended", async () => {
    const test = await start(stream([created, delta], true));
    const events = await test.client.responses.create({ ...ASK, stream: true });
    for await (const event of events) if (event.type === "response.output_text.delta") break;
    await test.flush();
    const [event] = await test.events();
    expect(event).toMatchObject({ usageSource: "deferred", costPicos: 0n, status: "interrupted" });
    test.collect();
    test.aheadMs = 60_000;
    await test.settled();
    expect(await test.charges()).toMatchObject([{ usageSource: "reported" }]);
  });
});
