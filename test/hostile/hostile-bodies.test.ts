/** Bodies that are no JSON, are JSON in bad faith, or are too much. What is sent on is what was checked. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listEvents } from "../support/list-events.ts";
import { besiege, expectAtRest, type BesiegedKeyward } from "./support/besieged-keyward.ts";
import { expectRefusal } from "./support/expect-refusal.ts";
import { exchange } from "./support/raw-connection.ts";

let besieged: BesiegedKeyward;
beforeAll(async () => {
  besieged = await besiege({
    KEYWARD_MAX_JSON_BODY_BYTES: String(1024 * 1024),
    KEYWARD_MAX_HELD_BODY_BYTES: String(8 * 1024 * 1024),
  });
});
afterAll(async () => {
  await besieged.close();
});

async function send(body: string | Buffer, headers: readonly string[] = []) {
  const before = besieged.upstream.requests.length;
  const { responses } = await exchange(besieged.url, besieged.request({ body, headers }));
  const sent = besieged.upstream.requests.slice(before).map((request) => request.body);
  return { response: responses[0], sent };
}

const chat = (members: string): string => `{"model":"gpt-4o-mini","messages":[],${members}}`;
const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

describe("is refused, and not sent on", () => {
  test.each<[string, string | Buffer]>([
    ["nothing", ""],
    ["a word", "null"],
    ["a list", "[1]"],
    ["a number", "1e400"],
    ["an object that does not end", '{"model":"gpt-4o-mini"'],
    ["two objects", '{"model":"a"}{"model":"b"}'],
    ["a comma too many", '{"model":"a",}'],
    ["a name in single quotes", "{'model':'a'}"],
    ["a comment before the object", '/**/{"model":"a"}'],
    ["UTF-16", Buffer.from('{"model":"a"}', "utf16le")],
    ["100,000 open brackets", `{"model":"a","messages":${"[".repeat(100_000)}`],
    ["a model twice", '{"model":"gpt-4o-mini","model":"gpt-4o"}'],
    ["a model twice, once in escapes", '{"model":"gpt-4o-mini","\\u006d\\u006fdel":"gpt-4o"}'],
    ["a stream twice", chat('"stream":true,"stream":false')],
    ["stream options twice", chat('"stream_options":{},"stream_options":null')],
    ["a count of answers twice", chat('"n":1,"n":2')],
    ["a user twice", chat('"user":"a","\\u0075ser":"b"')],
    ["a model that some read in capitals", '{"model":"gpt-4o-mini","MODEL":"gpt-4o"}'],
    ["a stream that some read with a long s", chat('"\u017ftream":true')],
  ])("%s", async (_name, body) => {
    const { response, sent } = await send(body);
    expectRefusal(response, { status: 400, code: "invalid_json" });
    expect(sent).toEqual([]);
  });

  test.each<[string, string | Buffer, string[], { status: number; code: string }]>([
    [
      "more than is read",
      chat(`"a":"${"x".repeat(1024 * 1024)}"`),
      [],
      { status: 413, code: "request_too_large" },
    ],
    [
      "gzip, a bomb or not",
      gzipSync(Buffer.alloc(50_000_000)),
      ["content-encoding: gzip"],
      { status: 415, code: "unsupported_content_encoding" },
    ],
    [
      "plain JSON that says it is gzip",
      chat('"n":1'),
      ["content-encoding: gzip"],
      { status: 415, code: "unsupported_content_encoding" },
    ],
    [
      "a coding that nobody knows",
      chat('"n":1'),
      ["content-encoding: identity, br"],
      { status: 415, code: "unsupported_content_encoding" },
    ],
    [
      "a model that is a number",
      '{"model":5,"messages":[]}',
      [],
      { status: 400, code: "invalid_json" },
    ],
    [
      "a customer of 300 characters",
      chat('"n":1'),
      [`x-keyward-customer: ${"c".repeat(300)}`],
      { status: 400, code: "invalid_header" },
    ],
    [
      "a customer with an escape of a terminal",
      chat('"n":1'),
      ["x-keyward-customer: a\u0085\u009b31m"],
      { status: 400, code: "invalid_header" },
    ],
  ])("%s", async (_name, body, headers, expected) => {
    const { response, sent } = await send(body, headers);
    expectRefusal(response, expected);
    expect(sent).toEqual([]);
  });

  test("more than is read in chunks that never say how much", async () => {
    const chunk = `10000\r\n${" ".repeat(0x10000)}\r\n`;
    const before = besieged.upstream.receivedBytes();
    const { responses } = await exchange(
      besieged.url,
      besieged.request({
        body: chunk.repeat(40),
        hasLength: false,
        headers: ["transfer-encoding: chunked"],
      }),
    );
    expectRefusal(responses[0], { status: 413, code: "request_too_large", isLast: true });
    expect(besieged.upstream.receivedBytes()).toBe(before);
  });
});

describe("is sent on byte for byte, for the provider to judge", () => {
  test.each<[string, string | Buffer]>([
    ["a stream that is a text", chat('"stream":"true"')],
    ["a name twice that the gateway does not act upon", chat('"seed":1,"seed":2')],
    ["a name twice deep inside", chat('"tools":[{"model":"a","model":"b"}]')],
    ["lists 100,000 deep", chat(`"a":${nested(100_000)}`)],
    ["a number of 1,000 digits", chat(`"n":1${"0".repeat(1000)}`)],
    ["numbers beyond all numbers", chat('"n":1e999,"m":-1e-999')],
    ["half a surrogate pair and NUL as a user", chat('"user":"\\ud800\\u0000"')],
    [
      "bytes that are no UTF-8 within a text",
      Buffer.from(chat('"a":"\u00ff\u00fe\u00c0"'), "latin1"),
    ],
    ["a byte order mark", `\ufeff${chat('"n":1')}`],
    ["the prototype's name", chat('"__proto__":{"model":"gpt-4o"},"constructor":1')],
    ["a key of 100,000 characters", chat(`"${"k".repeat(100_000)}":1`)],
    ["10,000 members", chat(Array.from({ length: 10_000 }, (_, i) => `"k${i}":${i}`).join())],
  ])("%s", async (_name, body) => {
    const { response, sent } = await send(body);
    expect(response?.status).toBe(200);
    expect(sent).toEqual([Buffer.from(body)]);
  });
});

const CALLS = 20;

test("bodies that together take more than their memory are refused, and the rest is served", async () => {
  const body = chat(`"a":"${"x".repeat(900_000)}"`);
  const { upstream } = besieged;
  const { respond } = upstream;
  const held: (() => void)[] = [];
  let refused = 0;
  // Answered only when every call is either held by the provider or refused.
  const releaseAll = (): void => {
    if (held.length + refused === CALLS) for (const release of held) release();
  };
  upstream.respond = (request) => {
    held.push(() => respond(request));
    releaseAll();
  };
  const calls = Array.from({ length: CALLS }, async () => {
    const { response } = await send(body);
    if (response?.status === 200) return;
    expectRefusal(response, { status: 503, code: "overloaded" });
    refused += 1;
    releaseAll();
  });
  await Promise.all(calls);
  upstream.respond = respond;
  expect(refused).toBeGreaterThan(0);
  expect(held.length).toBeGreaterThan(0);
  expect((await send(body)).response?.status).toBe(200);
});

test("afterwards it is well, and each call that was sent is one event", async () => {
  await expectAtRest(besieged);
  expect(await listEvents(besieged.admin)).toHaveLength(besieged.upstream.requests.length);
  expect(besieged.keyward.output()).not.toContain("failed in Keyward");
});
