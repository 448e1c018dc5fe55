import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../../test/support/poll.ts";
import { createAdminClient } from "../../admin/client.ts";
import { followLive, type TailItem } from "./follow-live.ts";

const PACE = { silenceMs: 20_000, firstRetryMs: 5, lastRetryMs: 20 };
const OPENED = { kind: "opened", time: "2026-01-31T09:30:00.000Z", serverStartedAt: "a" };
const CALL = {
  kind: "call",
  call: { startedAt: "2026-01-31T09:30:10.000Z", durationMs: 1500 },
};

type Answer = (res: ServerResponse) => void;

/** Answers each connection with the next of these, and all further ones with the last. */
let answers: Answer[] = [];
let asked = 0;
let server: Server;
let stop: AbortController;
const lost: string[] = [];

beforeEach(async () => {
  asked = 0;
  lost.length = 0;
  stop = new AbortController();
  server = createServer((_req, res) => {
    answers[Math.min(asked, answers.length - 1)]?.(res);
    asked += 1;
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
});
afterEach(async () => {
  stop.abort();
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
});

/** Begins a stream with these items and leaves it open. */
const tell =
  (...items: object[]): Answer =>
  (res) => {
    res.writeHead(200, { "content-type": "application/x-ndjson" });
    res.write(items.map((item) => `${JSON.stringify(item)}\n`).join(""));
  };
const cut =
  (...items: object[]): Answer =>
  (res) => {
    tell(...items)(res);
    setImmediate(() => res.destroy());
  };
const refuse =
  (status: number, code: string): Answer =>
  (res) => {
    res.writeHead(status, { "content-type": "application/json" });
    res.end(JSON.stringify({ error: { message: "no", code, param: null } }));
  };

function follow(pace = PACE): AsyncGenerator<TailItem> {
  const { port } = server.address() as AddressInfo;
  const client = createAdminClient({ baseUrl: `http://127.0.0.1:${port}`, token: "t" });
  return followLive({
    open: (signal) => client.GET("/live/calls", { parseAs: "stream", signal }),
    stopped: stop.signal,
    onLost: (reason) => lost.push(reason),
    pace,
  });
}

async function take(count: number, items: AsyncGenerator<TailItem>): Promise<TailItem[]> {
  const taken: TailItem[] = [];
  for await (const item of items) {
    taken.push(item);
    if (taken.length === count) break;
  }
  return taken;
}

describe("followLive", () => {
  it("says from when to when it could not listen, and whether another process answers", async () => {
    answers = [
      cut(OPENED, CALL),
      refuse(503, "starting_up"),
      tell({ ...OPENED, time: "2026-01-31T09:31:00.000Z", serverStartedAt: "b" }, CALL),
    ];
    expect(await take(4, follow())).toEqual([
      OPENED,
      CALL,
      {
        kind: "gap",
        from: "2026-01-31T09:30:11.500Z",
        to: "2026-01-31T09:31:00.000Z",
        isOtherProcess: true,
      },
      CALL,
    ]);
    // Once, however often it had to try.
    expect(lost).toEqual(["the connection has broken"]);
  });

  it("counts an idle server as listened to", async () => {
    const idle = { kind: "idle", time: "2026-01-31T09:40:00.000Z" };
    answers = [cut(OPENED, idle), tell(OPENED)];
    expect(await take(2, follow())).toMatchObject([
      { kind: "opened" },
      { kind: "gap", from: idle.time, isOtherProcess: false },
    ]);
  });

  it("takes a connection on which nothing comes for dead", async () => {
    answers = [tell(OPENED), tell({ ...OPENED, serverStartedAt: "b" })];
    const items = await take(2, follow({ ...PACE, silenceMs: 300 }));
    expect(items).toMatchObject([{ kind: "opened" }, { kind: "gap" }]);
    expect(lost).toEqual(["nothing came from the server for 0.3 seconds"]);
  });

  it.each([
    ["the first connection is refused", [refuse(503, "live_feed_unavailable")]],
    ["the token is revoked meanwhile", [cut(OPENED), refuse(401, "invalid_admin_token")]],
  ])("gives up when %s", async (_what, given) => {
    answers = given;
    await expect(take(9, follow())).rejects.toMatchObject({ name: "AdminApiError" });
  });

  it("ends when it is stopped: while it listens, and while it waits for the server", async () => {
    answers = [tell(OPENED)];
    const listening = follow();
    expect((await listening.next()).value).toEqual(OPENED);
    const next = listening.next();
    stop.abort();
    expect(await next).toEqual({ done: true, value: undefined });

    stop = new AbortController();
    asked = 0;
    answers = [cut(OPENED)];
    const waiting = take(9, follow({ ...PACE, firstRetryMs: 60_000 }));
    await until("it waits", () => lost.length > 0);
    stop.abort();
    expect(await waiting).toEqual([OPENED]);
  });
});
