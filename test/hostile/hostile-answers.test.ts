/** Providers that answer with anything but a well-formed answer. The call is settled, the client gets one clear answer. */
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { listEvents } from "../support/list-events.ts";
import {
  besiege,
  expectAtRest,
  SHORT_WAITS,
  type BesiegedKeyward,
} from "./support/besieged-keyward.ts";
import { expectRefusal } from "./support/expect-refusal.ts";
import { exchange, openConnection } from "./support/raw-connection.ts";
import { CHAT_ANSWER, rawAnswer, type UpstreamRequest } from "./support/raw-upstream.ts";

let besieged: BesiegedKeyward;
let respond: BesiegedKeyward["upstream"]["respond"];
beforeAll(async () => {
  besieged = await besiege({
    ...SHORT_WAITS,
    KEYWARD_CIRCUIT_FAILURES: "0",
    KEYWARD_MAX_ATTEMPTS: "1",
  });
  ({ respond } = besieged.upstream);
});
afterEach(() => {
  besieged.upstream.respond = respond;
});
afterAll(async () => {
  await besieged.close();
});

const JSON_ANSWER = JSON.stringify(CHAT_ANSWER);

/** A whole answer with more lines in its head, in Latin-1. */
const answer = (head: string, body = JSON_ANSWER): Buffer =>
  Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${head}content-length: ${Buffer.byteLength(body, "latin1")}\r\n\r\n${body}`,
    "latin1",
  );
const says =
  (bytes: string | Buffer, isLast = false) =>
  ({ socket }: UpstreamRequest): void => {
    socket.write(bytes);
    if (isLast) socket.end();
  };
const streamed = (events: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n${events}`;
const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

async function call() {
  const before = besieged.upstream.requests.length;
  const { responses } = await exchange(besieged.url, besieged.request());
  expect(besieged.upstream.requests.length - before).toBe(1);
  return responses[0];
}

describe("no answer that can be read is 502, and nothing of it gets to the client", () => {
  test.each<[string, (request: UpstreamRequest) => void]>([
    ["NUL in a header", says(answer("x-name: a\u0000b\r\n"))],
    ["a control character in a header", says(answer("x-name: a\u0001b\r\n"))],
    ["a bare carriage return in a header", says(answer("x-name: a\rset-cookie: x=y\r\n"))],
    ["a bare line feed in a header", says(answer("x-name: a\nx-keyward-cost-usd: 0\r\n"))],
    ["a folded header", says(answer("x-name: a\r\n b\r\n"))],
    ["a header without a name", says(answer(": a\r\n"))],
    ["a header's name with a space", says(answer("x name: a\r\n"))],
    ["two lengths", says(answer("content-length: 3\r\n"))],
    ["a length and chunks", says(answer("transfer-encoding: chunked\r\n"))],
    ["a status of 000", says("HTTP/1.1 000 X\r\ncontent-length: 0\r\n\r\n")],
    ["a status of four digits", says("HTTP/1.1 1000 X\r\ncontent-length: 0\r\n\r\n")],
    [
      "an upgrade that nobody asked for",
      says("HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
    ],
    ["a head of 100,000 bytes", says(answer(`x-big: ${"a".repeat(100_000)}\r\n`))],
    ["another protocol", says("SSH-2.0-OpenSSH\r\n")],
    ["HTTP/0.9", says(JSON_ANSWER, true)],
    [
      "a chunk that is none",
      says(`${streamed("").replace("text/event-stream", "application/json")}ZZ\r\n`),
    ],
    ["gzip that is none", says(answer("content-encoding: gzip\r\n"))],
    ["brotli that is none", says(answer("content-encoding: br\r\n"))],
    [
      "gzip that ends too early",
      says(rawAnswer(gzipSync(JSON_ANSWER).subarray(0, 20), ["content-encoding: gzip"])),
    ],
    [
      "a body that ends too early",
      says(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
        true,
      ),
    ],
    ["a close", ({ socket }) => void socket.destroy()],
    ["a reset", ({ socket }) => void socket.resetAndDestroy()],
    ["interim answers without end", says("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(500))],
  ])("%s", async (_name, answering) => {
    besieged.upstream.respond = answering;
    expectRefusal(await call(), { status: 502, code: "upstream_failed" });
  });
});

describe("a provider that stalls", () => {
  /** How far it gets, by the path that is asked for. */
  const STALLS: Readonly<Record<string, (request: UpstreamRequest) => void>> = {
    "/v1/chat/completions?before": () => undefined,
    "/v1/chat/completions?head": says("HTTP/1.1 200 OK\r\ncontent-"),
    "/v1/chat/completions?body": says(
      "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
    ),
  };

  test("before its answer, within its head or its body is 504", async () => {
    besieged.upstream.respond = (request) => {
      STALLS[request.requestLine.split(" ")[1] ?? ""]?.(request);
    };
    const calls = Object.keys(STALLS).map(async (target) => {
      const { responses } = await exchange(besieged.url, besieged.request({ target }));
      expectRefusal(responses[0], { status: 504, code: "upstream_timeout" });
    });
    await Promise.all(calls);
  });

  test("within a stream that has begun: the connection is cut, so that no half can pass for a whole", async () => {
    besieged.upstream.respond = says(streamed("a\r\ndata: {}\n\n\r\n"));
    const connection = await openConnection(besieged.url);
    connection.send(besieged.request({ body: '{"model":"gpt-4o-mini","stream":true}' }));
    await connection.ended();
    expect(connection.received().toString()).toContain("data: {}");
    expect(connection.received().toString()).not.toContain("\r\n0\r\n");
  });
});

describe("an answer that is odd and can be read is passed on", () => {
  test.each<[string, Buffer, number]>([
    [
      "UTF-8 in a header",
      Buffer.from(answer("").toString("latin1").replace("\r\n", "\r\nx-name: €\r\n"), "utf8"),
      200,
    ],
    [
      "interim answers before it",
      Buffer.concat([Buffer.from("HTTP/1.1 103 X\r\n\r\n".repeat(20)), answer("")]),
      200,
    ],
    ["a second answer behind it", Buffer.concat([answer(""), answer("x-second: 1\r\n")]), 200],
    ["garbage behind it", Buffer.concat([answer(""), Buffer.from("GARBAGE")]), 200],
    [
      "a blank behind a length",
      Buffer.from(
        answer("")
          .toString("latin1")
          .replace(/(-length: \d+)/, "$1 "),
      ),
      200,
    ],
    ["2,000 headers", answer("a: b\r\n".repeat(2000)), 200],
    [
      "a body where there is none",
      Buffer.from("HTTP/1.1 204 X\r\ncontent-length: 5\r\n\r\nhello"),
      204,
    ],
    ["a status that nobody knows", Buffer.from("HTTP/1.1 999 X\r\ncontent-length: 0\r\n\r\n"), 999],
    [
      "a redirect to a metadata service",
      Buffer.from(
        "HTTP/1.1 302 X\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n",
      ),
      302,
    ],
    [
      "lists nested 100,000 deep",
      answer("", `{"usage":${nested(100_000)},"choices":${nested(100_000)}}`),
      200,
    ],
    [
      "usage beyond all numbers",
      answer("", '{"model":"gpt-4o-mini","usage":{"prompt_tokens":1e300,"completion_tokens":-5}}'),
      200,
    ],
    [
      "names with NUL and half a surrogate pair",
      answer(
        "",
        '{"model":"a\\u0000\\ud800","id":"\\udfff","usage":{"prompt_tokens":1,"completion_tokens":1}}',
      ),
      200,
    ],
    ["bytes that are no UTF-8", answer("", '{"id":"\u00ff\u00c0","model":"\u00fe"}'), 200],
    ["a list in place of an object", answer("", "[1,2]"), 200],
    ["nothing at all", answer("", ""), 200],
  ])("%s", async (_name, bytes, status) => {
    besieged.upstream.respond = says(bytes);
    const got = await call();
    expect(got?.status).toBe(status);
    // What the gateway says of the call is not the provider's to say.
    expect(got?.headers.get("x-keyward-request-id")).toMatch(/^req_/);
  });

  test("without the headers that are the gateway's, the connection's or a cookie", async () => {
    const head = [
      "x-keyward-cost-usd: 0",
      "x-keyward-request-id: req_evil",
      "set-cookie: a=b",
      "connection: x-hop",
      "x-hop: 1",
      "x-kept: 1",
    ];
    besieged.upstream.respond = says(answer(`${head.join("\r\n")}\r\n`));
    const { headers } = (await call()) ?? { headers: new Map<string, string>() };
    expect(headers.get("x-keyward-cost-usd")).toBe("0.0000045");
    expect(headers.get("x-keyward-request-id")).not.toBe("req_evil");
    expect(headers.get("x-kept")).toBe("1");
    for (const name of ["set-cookie", "x-hop"]) expect(headers.has(name)).toBe(false);
  });

  test("100 MB out of 100 KB of gzip pass through in little memory", async () => {
    const bomb = rawAnswer(gzipSync(Buffer.alloc(100_000_000, 0x20)), ["content-encoding: gzip"]);
    besieged.upstream.respond = says(bomb);
    const before = await besieged.residentMib();
    const connection = await openConnection(besieged.url, { isPaused: true });
    let bytes = 0;
    connection.socket.on("data", (chunk: Buffer) => (bytes += chunk.length));
    connection.send(besieged.request({ headers: ["connection: close"] }));
    connection.socket.resume();
    await connection.ended();
    expect(bytes).toBeGreaterThan(100_000_000);
    expect((await besieged.residentMib()) - before).toBeLessThan(150);
  });
});

test("afterwards it is well, and each call that was sent is one event", async () => {
  await expectAtRest(besieged);
  const events = await listEvents(besieged.admin);
  expect(events).toHaveLength(besieged.upstream.requests.length);
  expect(events.filter(({ status }) => status === "unknown")).toEqual([]);
  expect(besieged.keyward.output()).not.toContain("failed in Keyward");
});
