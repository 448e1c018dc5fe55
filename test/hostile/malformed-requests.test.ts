/** Requests that two servers could read in two ways, and bytes that are no requests. None reaches the provider. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  besiege,
  CHAT_BODY,
  expectAtRest,
  SHORT_WAITS,
  type BesiegedKeyward,
} from "./support/besieged-keyward.ts";
import { expectRefusal } from "./support/expect-refusal.ts";
import { exchange, openConnection } from "./support/raw-connection.ts";

let besieged: BesiegedKeyward;
beforeAll(async () => {
  besieged = await besiege({ ...SHORT_WAITS, KEYWARD_CLIENT_IDLE_TIMEOUT_MS: "3000" });
});
afterAll(async () => {
  await besieged.close();
});

const LENGTH = CHAT_BODY.length;
const HEX = LENGTH.toString(16);
const CHUNKED_BODY = `${HEX}\r\n${CHAT_BODY}\r\n0\r\n\r\n`;

const lines = (...headers: string[]): string => headers.map((header) => `${header}\r\n`).join("");
/** Head up to the framing; what follows it is up to the attack. */
const chat = (rest: string, version = "1.1"): string =>
  [
    `POST /v1/chat/completions HTTP/${version}\r\n`,
    lines("host: keyward.test", `authorization: Bearer ${besieged.key}`),
    lines("content-type: application/json"),
    rest,
  ].join("");
const withLength = (headers: string): string =>
  chat(`${headers}content-length: ${LENGTH}\r\n\r\n${CHAT_BODY}`);
const withCoding = (headers: string, body = CHUNKED_BODY): string => chat(`${headers}\r\n${body}`);
const get = (target: string, headers = ""): string =>
  `GET ${target} HTTP/1.1\r\n${lines("host: keyward.test", `authorization: Bearer ${besieged.key}`)}${headers}\r\n`;

const CHUNKED = "transfer-encoding: chunked\r\n";

const REFUSED: Readonly<Record<string, () => string | Buffer>> = {
  "a length and chunks": () => withCoding(`content-length: 5\r\n${CHUNKED}`),
  "chunks and a length": () => withCoding(`${CHUNKED}content-length: 5\r\n`),
  "two lengths that differ": () => withLength("content-length: 5\r\n"),
  "two lengths that agree": () => withLength(`content-length: ${LENGTH}\r\n`),
  "a list of lengths": () => chat(`content-length: ${LENGTH}, ${LENGTH}\r\n\r\n${CHAT_BODY}`),
  "a length with a sign": () => chat(`content-length: +${LENGTH}\r\n\r\n${CHAT_BODY}`),
  "a negative length": () => chat(`content-length: -1\r\n\r\n${CHAT_BODY}`),
  "a hexadecimal length": () => chat(`content-length: 0x${HEX}\r\n\r\n${CHAT_BODY}`),
  "a length beyond all numbers": () =>
    chat(`content-length: 99999999999999999999\r\n\r\n${CHAT_BODY}`),
  "a space before the colon of a length": () =>
    chat(`content-length : ${LENGTH}\r\n\r\n${CHAT_BODY}`),
  "a space before the colon of a coding": () => withCoding("transfer-encoding : chunked\r\n"),
  "a folded header": () => withLength("x-a: b\r\n c\r\n"),
  "a header that ends in a bare line feed": () => withLength("x-a: b\n"),
  "a head of bare line feeds": () => withLength("").replaceAll("\r\n", "\n"),
  "a bare carriage return in a header": () => withLength("x-a: b\rc\r\n"),
  "NUL in a header": () => withLength("x-a: b\u0000c\r\n"),
  "a control character in the customer": () => withLength("x-keyward-customer: a\u000bb\r\n"),
  "a coding of another name": () => withCoding("transfer-encoding: xchunked\r\n"),
  "a coding in quotes": () => withCoding('transfer-encoding: "chunked"\r\n'),
  "chunks that are not the last coding": () =>
    withCoding("transfer-encoding: chunked, identity\r\n"),
  "identity before chunks": () => withCoding("transfer-encoding: identity, chunked\r\n"),
  "gzip before chunks": () => withCoding("transfer-encoding: gzip, chunked\r\n"),
  "chunks twice": () => withCoding(CHUNKED + CHUNKED),
  "chunks in HTTP/1.0": () => chat(`${CHUNKED}\r\n${CHUNKED_BODY}`, "1.0"),
  "a chunk's size in bare line feeds": () => withCoding(CHUNKED, `${HEX}\n${CHAT_BODY}\n0\n\n`),
  "a chunk's size with a prefix": () =>
    withCoding(CHUNKED, `0x${HEX}\r\n${CHAT_BODY}\r\n0\r\n\r\n`),
  "a chunk's size with a space behind": () =>
    withCoding(CHUNKED, `${HEX} \r\n${CHAT_BODY}\r\n0\r\n\r\n`),
  "a chunk's size beyond all numbers": () =>
    withCoding(CHUNKED, `ffffffffffffffffff\r\n${CHAT_BODY}\r\n0\r\n\r\n`),
  "a chunk that does not end where it says": () =>
    withCoding(CHUNKED, `${HEX}\r\n${CHAT_BODY}XX0\r\n\r\n`),
  "extensions of a chunk without end": () =>
    withCoding(CHUNKED, `${HEX};${"a".repeat(20_000)}\r\n${CHAT_BODY}\r\n0\r\n\r\n`),
  "HTTP/0.9": () => "GET /v1/models\r\n\r\n",
  "the preface of HTTP/2": () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "HTTP/1.2": () => chat(`content-length: ${LENGTH}\r\n\r\n${CHAT_BODY}`, "1.2"),
  "HTTP/2.0 in the clothes of 1.1": () =>
    chat(`content-length: ${LENGTH}\r\n\r\n${CHAT_BODY}`, "2.0"),
  "a target of an authority alone": () => get("evil.example:80"),
  "a method that is none": () => get("/v1/models").replace("GET", "BREW"),
  "no host": () => `GET /v1/models HTTP/1.1\r\nauthorization: Bearer ${besieged.key}\r\n\r\n`,
  "two hosts": () => get("/v1/models", "host: evil.example\r\n"),
  "two keys": () => withLength("authorization: Bearer another\r\n"),
  "two customers": () => withLength("x-keyward-customer: a\r\nX-Keyward-Customer: b\r\n"),
  "a handshake of TLS": () => Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]),
};

describe("is refused as no request, and never sent on", () => {
  test.each(Object.entries(REFUSED))("%s", async (_name, attack) => {
    const before = besieged.upstream.receivedBytes();
    const { responses, rest } = await exchange(besieged.url, attack());
    expect(responses).toHaveLength(1);
    expectRefusal(responses[0], { status: 400, code: "malformed_request", isLast: true });
    expect(rest).toHaveLength(0);
    expect(besieged.upstream.receivedBytes()).toBe(before);
  });

  test.each([
    ["a head of 40,000 bytes", () => withLength(`x-big: ${"a".repeat(40_000)}\r\n`)],
    ["300 headers", () => withLength("a: b\r\n".repeat(300))],
  ])("%s", async (_name, attack) => {
    const { responses } = await exchange(besieged.url, attack());
    expectRefusal(responses[0], { status: 431, code: "headers_too_large", isLast: true });
  });

  test.each([
    ["CONNECT", () => get("evil.example:443").replace("GET", "CONNECT"), 405, "method_not_allowed"],
    ["TRACE", () => get("/v1/models").replace("GET", "TRACE"), 405, "method_not_allowed"],
    ["PROPFIND", () => get("/v1/models").replace("GET", "PROPFIND"), 405, "method_not_allowed"],
    ["a whole URL as the target", () => get("http://evil.example/v1/models"), 404, "unknown_url"],
    ["an asterisk as the target", () => get("*").replace("GET", "OPTIONS"), 404, "unknown_url"],
    ["a target of 10,000 characters", () => get(`/v1/${"a".repeat(10_000)}`), 404, "unknown_url"],
    ["dots that a server would resolve", () => get("/v1/../admin"), 404, "unknown_url"],
    ["dots in disguise", () => get("/v1/%252e%252e/admin"), 404, "unknown_url"],
  ])("%s", async (_name, attack, status, code) => {
    const before = besieged.upstream.receivedBytes();
    const { responses } = await exchange(besieged.url, attack());
    expectRefusal(responses[0], { status, code });
    expect(besieged.upstream.receivedBytes()).toBe(before);
  });
});

const sent = () => besieged.upstream.requests.at(-1);
const headerNames = () => sent()?.headers.map(([name]) => name) ?? [];

describe("is read in the one way there is, and sent on in our own words", () => {
  test.each([
    ["chunks", () => withCoding(CHUNKED)],
    ["chunks in capitals", () => withCoding("Transfer-Encoding: CHUNKED\r\n")],
    [
      "a chunk with an extension",
      () => withCoding(CHUNKED, `${HEX};a=b\r\n${CHAT_BODY}\r\n0\r\n\r\n`),
    ],
    [
      "trailers that would be headers",
      () =>
        withCoding(
          CHUNKED,
          `${HEX}\r\n${CHAT_BODY}\r\n0\r\nauthorization: Bearer evil\r\nx-keyward-customer: evil\r\n\r\n`,
        ),
    ],
    [
      "a header that some read as another",
      () => withLength("transfer_encoding: chunked\r\nopenai_organization: org-evil\r\n"),
    ],
    ["an expectation of a go-ahead", () => withLength("expect: 100-continue\r\n")],
    ["an expectation that nobody knows", () => withLength("expect: tea\r\n")],
    ["empty lines before it", () => `\r\n\r\n${withLength("")}`],
    ["HTTP/1.0", () => chat(`content-length: ${LENGTH}\r\n\r\n${CHAT_BODY}`, "1.0")],
  ])("%s", async (_name, request) => {
    const before = besieged.upstream.requests.length;
    const { responses } = await exchange(besieged.url, request());
    expect(responses.map(({ status }) => status)).toEqual([200]);
    expect(besieged.upstream.requests).toHaveLength(before + 1);
    expect(sent()?.body.toString()).toBe(CHAT_BODY);
    expect(sent()?.headers.filter(([name]) => name === "content-length")).toHaveLength(1);
    for (const name of [
      "transfer-encoding",
      "transfer_encoding",
      "openai_organization",
      "trailer",
      "expect",
      "x-keyward-customer",
    ]) {
      expect(headerNames()).not.toContain(name);
    }
    const keys = sent()?.headers.filter(([name]) => name === "authorization");
    expect(keys).toEqual([["authorization", expect.stringMatching(/^Bearer sk-hostile-h+$/)]]);
  });

  test.each(["websocket", "h2c"])("an upgrade to %s is a plain request", async (protocol) => {
    const headers = `upgrade: ${protocol}\r\nconnection: upgrade, http2-settings\r\nhttp2-settings: AAMAAABk\r\n`;
    const { responses } = await exchange(besieged.url, get("/v1/models", headers));
    expect(responses.map(({ status }) => status)).toEqual([200]);
    expect(headerNames()).not.toContain("upgrade");
    expect(headerNames()).not.toContain("http2-settings");
  });
});

describe("many requests in one packet", () => {
  test("are answered in their order", async () => {
    const requests = ["/healthz", "/v1/nothing/..", "/healthz"].map((target) => get(target));
    const { responses } = await exchange(besieged.url, requests.join(""), { count: 3 });
    expect(responses.map(({ status }) => status)).toEqual([200, 404, 200]);
  });

  test("with garbage behind a call: the call is answered, then the garbage refused", async () => {
    const bytes = Buffer.concat([besieged.request(), Buffer.from("GARBAGE\r\n\r\n")]);
    const { responses, ending } = await exchange(besieged.url, bytes, { count: 3 });
    expect(responses).toHaveLength(2);
    expect(responses[0]?.status).toBe(200);
    expectRefusal(responses[1], { status: 400, code: "malformed_request", isLast: true });
    expect(ending).toBe("closed");
  });

  test("with garbage within a body: the one answer says so", async () => {
    const { responses, ending } = await exchange(
      besieged.url,
      withCoding(CHUNKED, '5\r\n{"mod\r\nZZ\r\n'),
      { count: 2 },
    );
    expect(responses).toHaveLength(1);
    expectRefusal(responses[0], { status: 400, code: "malformed_request", isLast: true });
    expect(ending).toBe("closed");
  });

  test("wait for the answer before them, and take no memory", async () => {
    const { upstream } = besieged;
    const { respond } = upstream;
    const held = Promise.withResolvers<() => void>();
    upstream.respond = (request) => held.resolve(() => respond(request));
    const before = await besieged.residentMib();
    const flood = get("/api/v1/openapi.json").repeat(1200);
    const connection = await openConnection(besieged.url);
    connection.send(Buffer.concat([besieged.request(), Buffer.from(flood)]));
    const release = await held.promise;
    upstream.respond = respond;
    // Answered behind the flood, so the flood has been read by now as far as it is.
    for (let i = 0; i < 3; i += 1)
      expect((await exchange(besieged.url, get("/healthz"))).responses).toHaveLength(1);
    expect(connection.received()).toHaveLength(0);
    expect((await besieged.residentMib()) - before).toBeLessThan(100);
    release();
    const { responses } = await connection.answered(20);
    connection.close();
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]));
  });
});

test("afterwards it is well, and every call that was sent is one event", async () => {
  await expectAtRest(besieged);
});
