/** Clients that wait, stop, vanish or never read. Each is let go in time, and holds next to nothing until then. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { listEvents } from "../support/list-events.ts";
import { until } from "../support/poll.ts";
import {
  besiege,
  expectAtRest,
  SHORT_WAITS,
  type BesiegedKeyward,
} from "./support/besieged-keyward.ts";
import { expectRefusal } from "./support/expect-refusal.ts";
import { exchange, openConnection } from "./support/raw-connection.ts";
import type { UpstreamRequest } from "./support/raw-upstream.ts";

let besieged: BesiegedKeyward;
let respond: BesiegedKeyward["upstream"]["respond"];
beforeAll(async () => {
  besieged = await besiege({
    ...SHORT_WAITS,
    KEYWARD_CLIENT_IDLE_TIMEOUT_MS: "1500",
    KEYWARD_UPSTREAM_HEADERS_TIMEOUT_MS: "20000",
    KEYWARD_UPSTREAM_BODY_IDLE_TIMEOUT_MS: "20000",
    KEYWARD_MAX_CONNECTIONS: "600",
  });
  ({ respond } = besieged.upstream);
});
afterEach(() => {
  besieged.upstream.respond = respond;
});
afterAll(async () => {
  await besieged.close();
});

const open = () => openConnection(besieged.url);

describe("a client that is waited for is let go", () => {
  test.concurrent("having sent nothing", async () => {
    const connection = await open();
    await connection.ended();
    const [answer] = connection.responses().responses;
    if (answer !== undefined) expectRefusal(answer, { status: 408, code: "request_timeout" });
  });

  test.concurrent("in the middle of a head, however busily it sends", async () => {
    const connection = await open();
    connection.send("GET /v1/models HTTP/1.1\r\n");
    const trickle = setInterval(() => connection.send("x-a: b\r\n"), 100);
    const { responses } = await connection.answered();
    clearInterval(trickle);
    expectRefusal(responses[0], { status: 408, code: "request_timeout", isLast: true });
    await connection.ended();
  });

  test.concurrent("in the middle of a body", async () => {
    const connection = await open();
    connection.send(besieged.request().subarray(0, -10));
    const { responses } = await connection.answered();
    expectRefusal(responses[0], { status: 408, code: "request_timeout", isLast: true });
    await connection.ended();
  });

  test.concurrent("in the middle of a body that it sends byte by byte", async () => {
    const connection = await open();
    connection.send(
      besieged.request({ hasLength: false, body: "", headers: ["content-length: 100000"] }),
    );
    const trickle = setInterval(() => connection.send(" "), 100);
    const { responses } = await connection.answered();
    clearInterval(trickle);
    expectRefusal(responses[0], { status: 408, code: "request_timeout", isLast: true });
    await connection.ended();
  });

  test.concurrent("in the middle of an upload that is streamed to the provider already", async () => {
    const connection = await open();
    connection.send(
      besieged.request({
        target: "/v1/files",
        hasLength: false,
        headers: ["transfer-encoding: chunked"],
        body: "5\r\nhello\r\n",
      }),
    );
    const { responses } = await connection.answered();
    expectRefusal(responses[0], { status: 408, code: "request_timeout", isLast: true });
    await connection.ended();
  });

  test.concurrent("with a connection that it keeps and does not use", async () => {
    const connection = await open();
    connection.send(besieged.request());
    expect((await connection.answered()).responses[0]?.status).toBe(200);
    expect(await connection.ended()).toBe("closed");
  });

  test.concurrent("not while it waits for a provider that takes its time", async () => {
    besieged.upstream.respond = (request) => {
      if (request.requestLine.includes("slow")) setTimeout(() => respond(request), 3_500);
      else respond(request);
    };
    const { responses } = await exchange(
      besieged.url,
      besieged.request({ target: "/v1/chat/completions?slow" }),
    );
    expect(responses[0]?.status).toBe(200);
  });
});

const STALLED = 8;
/** What one of them gets rid of at most: the buffers of the kernel grow with the machine's memory. */
const MAX_SENT_BYTES = 20_000_000;
/** The tables of the tokenizer, which the first count loads; then the text that was delivered, until it is counted. */
const MAX_STALLED_MIB = 150 + (STALLED * MAX_SENT_BYTES) / 1_000_000;

describe("a client that does not read", () => {
  const EVENT = `data: ${JSON.stringify({ id: "c", model: "gpt-4o-mini", choices: [{ delta: { content: "word ".repeat(2000) } }] })}\n\n`;

  /** Streams as fast as it is let, for ever; tells how much it got rid of. */
  const streamForEver =
    (sent: { bytes: number }) =>
    ({ socket }: UpstreamRequest) => {
      socket.write(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
      );
      const piece = `${Buffer.byteLength(EVENT).toString(16)}\r\n${EVENT}\r\n`;
      const pump = (): void => {
        while (!socket.destroyed) {
          sent.bytes += piece.length;
          if (!socket.write(piece)) break;
        }
      };
      socket.on("drain", pump);
      pump();
    };

  test("stops the provider's stream and is cut off in bounded memory; what was delivered is charged", async () => {
    const sent = { bytes: 0 };
    besieged.upstream.respond = streamForEver(sent);
    const before = await besieged.residentMib();
    const clients = await Promise.all(
      Array.from({ length: STALLED }, () => openConnection(besieged.url, { isPaused: true })),
    );
    for (const client of clients) {
      client.send(besieged.request({ body: '{"model":"gpt-4o-mini","stream":true}' }));
    }
    const { upstream, admin } = besieged;
    await until("the streams run", () => sent.bytes > STALLED * 1_000_000);
    await until("the gateway has hung up on the provider", () => upstream.openConnections() <= 1);
    // What the kernel's buffers of all sockets hold, and not one stream that ran on.
    expect(sent.bytes).toBeLessThan(STALLED * MAX_SENT_BYTES);
    expect((await besieged.residentMib()) - before).toBeLessThan(MAX_STALLED_MIB);
    for (const client of clients) client.close();
    const events = await until("the calls are settled", async () => {
      const cut = (await listEvents(admin)).filter(({ isStream }) => isStream);
      return cut.length === STALLED ? cut : undefined;
    });
    for (const event of events) {
      expect(event).toMatchObject({ status: "interrupted", usageSource: "estimated" });
    }
  });

  test("a page of the admin API is let go as well", async () => {
    const flood = `GET /api/v1/openapi.json HTTP/1.1\r\nhost: keyward.test\r\n\r\n`.repeat(17);
    const connection = await openConnection(besieged.url, { isPaused: true });
    connection.send(flood);
    await until("the gateway has hung up", async () => (await besieged.connections()) === 0);
    connection.close();
  });
});

describe("a client that vanishes", () => {
  test("at any byte of its request leaves nothing behind", async () => {
    const request = besieged.request();
    const cuts = Array.from({ length: request.length + 1 }, (_, at) => at);
    const workers = Array.from({ length: 16 }, async () => {
      for (let at = cuts.pop(); at !== undefined; at = cuts.pop()) {
        const connection = await open();
        connection.send(request.subarray(0, at));
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
        if (at % 2 === 0) connection.reset();
        else connection.close();
      }
    });
    await Promise.all(workers);
    await expectAtRest(besieged);
  });

  test("half, having said all it wanted, counts as gone: its connection is closed", async () => {
    const connection = await open();
    connection.send(besieged.request());
    connection.socket.end();
    expect(await connection.ended()).not.toBe("open");
  });

  test("while its answer streams: the provider's stream is ended, too", async () => {
    besieged.upstream.respond = ({ socket }) => {
      socket.write(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\na\r\ndata: {}\n\n\r\n",
      );
    };
    const connection = await open();
    connection.send(besieged.request({ body: '{"model":"gpt-4o-mini","stream":true}' }));
    await until("the stream has begun", () => connection.received().includes("data: {}"));
    const before = besieged.upstream.openConnections();
    connection.reset();
    await until("the gateway has hung up", () => besieged.upstream.openConnections() < before);
  });
});

test("more connections than there may be are closed, and idle ones make room", async () => {
  const before = await besieged.residentMib();
  const idle = await Promise.all(Array.from({ length: 700 }, open));
  await until("what is too much is closed", async () => (await besieged.connections()) <= 600);
  await until(
    "a new client is served",
    async () => {
      const connection = await open();
      connection.send(`GET /healthz HTTP/1.1\r\nhost: keyward.test\r\nconnection: close\r\n\r\n`);
      const { responses } = await connection.answered();
      return responses[0]?.status === 200;
    },
    20_000,
  );
  expect((await besieged.residentMib()) - before).toBeLessThan(100);
  for (const connection of idle) connection.close();
  expect(besieged.keyward.output()).toContain("maxConnections");
});

test("afterwards it is well, and each call that was sent is one event", async () => {
  await expectAtRest(besieged);
  const events = await listEvents(besieged.admin);
  // The upload that was broken off reached the provider, and is no whole request there.
  expect(events.filter(({ operation }) => operation === "other")).toHaveLength(1);
  const chats = events.filter(({ operation }) => operation === "chat.completions");
  expect(chats).toHaveLength(events.length - 1);
  // A call whose client vanished before it was sent has an event, too: of no usage. One that was being sent may have
  // been lost on the way.
  const sent = chats.filter(({ usageSource }) => usageSource !== "none");
  const answered = chats.filter(({ httpStatus }) => httpStatus !== null);
  const { length: requests } = besieged.upstream.requests;
  expect(sent.length).toBeGreaterThanOrEqual(requests);
  expect(answered.length).toBeLessThanOrEqual(requests);
  expect(events.filter(({ status }) => status === "unknown")).toEqual([]);
  expect(besieged.keyward.output()).not.toContain("failed in Keyward");
});
