import { Readable } from "node:stream";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HeadParser } from "../http/head-parser.ts";
import type { OutgoingRequest } from "./exchange-listener.ts";
import { HttpClient } from "./http-client.ts";
import { formatRequest } from "./request-text.ts";

const request = (parts: Partial<OutgoingRequest>): OutgoingRequest => ({
  origin: "http://a.test",
  method: "POST",
  target: "/v1/chat",
  headers: [],
  body: null,
  ...parts,
});
const textOf = (parts: Partial<OutgoingRequest>): string =>
  formatRequest(request(parts), "a.test").head;
const START = "POST /v1/chat HTTP/1.1\r\nhost: a.test\r\nconnection: keep-alive\r\n";

/** What the head says of the framing, and how it will be. */
const framed = (parts: Partial<OutgoingRequest>) => {
  const { head, framing } = formatRequest(request(parts), "a.test");
  expect(head.startsWith(START) && head.endsWith("\r\n\r\n")).toBe(true);
  return [head.slice(START.length, -4), framing];
};

describe("a request's head", () => {
  it("says where it goes, that the connection is kept, and what it was given", () => {
    expect(textOf({ headers: ["x-a", "b\tc d", "x-a", "\u00e4", "x-b", ""] })).toBe(
      `${START}x-a: b\tc d\r\nx-a: \u00e4\r\nx-b: \r\ncontent-length: 0\r\n\r\n`,
    );
    expect(textOf({ method: "GET", target: "/a?b=c%20d&e=[]" })).toBe(
      "GET /a?b=c%20d&e=[] HTTP/1.1\r\nhost: a.test\r\nconnection: keep-alive\r\n\r\n",
    );
  });

  it("says how its body is framed, once", () => {
    const body = Buffer.from("four");
    expect(framed({ body })[0]).toBe("content-length: 4");
    expect(framed({ body, headers: ["content-length", "4"] })[0]).toBe("content-length: 4");
    expect(framed({ body, headers: ["content-length", "04"] })[0]).toBe("content-length: 4");
    expect(framed({ body: new Readable() })).toEqual(["transfer-encoding: chunked", "chunked"]);
    expect(framed({ body: new Readable(), headers: ["content-length", "9"] })).toEqual([
      "content-length: 9",
      { contentLength: 9 },
    ]);
    for (const method of ["POST", "PUT", "PATCH"]) {
      expect(textOf({ method })).toContain("\r\ncontent-length: 0\r\n");
    }
    for (const method of ["GET", "HEAD", "DELETE"]) {
      expect(textOf({ method })).not.toContain("content-length");
    }
    expect(textOf({ method: "DELETE", body })).toContain("\r\ncontent-length: 4\r\n");
    expect(textOf({ method: "GET", headers: ["content-length", "0"] })).toContain(
      "\r\ncontent-length: 0\r\n",
    );
  });
});

const CONTROLS = [
  "\r\nx-b: c",
  "\n",
  "\r",
  "\0",
  "\u000b",
  "\u001f",
  "\u007f",
  "\u010d\u010a",
  "\u20ac",
];
const BAD: [string, Partial<OutgoingRequest>][] = [
  ...CONTROLS.flatMap((text): [string, Partial<OutgoingRequest>][] => [
    ["a value", { headers: ["x-a", `b${text}`] }],
    ["a name", { headers: [`x-a${text}`, "b"] }],
    ["a method", { method: `GET${text}` }],
    ["a target", { target: `/${text}` }],
    ["a length", { headers: ["content-length", `0${text}`] }],
  ]),
  ...["", "a b", "a:", ":a", "(a)", "\u00e4", "X-A"].map(
    (name): [string, Partial<OutgoingRequest>] => ["a name", { headers: [name, "b"] }],
  ),
  ...["", "get", "GET /", "M-SEARCH"].map((method): [string, Partial<OutgoingRequest>] => [
    "a method",
    { method },
  ]),
  ...["", "v1", "*", "http://b.test/", "/a b", " /", "/ HTTP/1.1", "/\u00e4"].map(
    (target): [string, Partial<OutgoingRequest>] => ["a target", { target }],
  ),
  ["two lengths", { headers: ["content-length", "0", "content-length", "0"] }],
  ["two lengths", { headers: ["content-length", "0", "Content-Length", "4"] }],
  ...["", "-1", "+1", "0x1", "1e1", "1.0", " 1", "1234567890123456"].map(
    (length): [string, Partial<OutgoingRequest>] => [
      "a length",
      { headers: ["content-length", length], body: new Readable() },
    ],
  ),
  ["a length that is not the body's", { headers: ["content-length", "4"] }],
  ["a length that is not the body's", { headers: ["content-length", "4"], body: Buffer.from("a") }],
  ["a length that is not the body's", { headers: ["content-length", "0"], body: Buffer.from("a") }],
  ...["connection", "Host", "keep-alive", "transfer-encoding", "Transfer-Encoding", "upgrade"].map(
    (name): [string, Partial<OutgoingRequest>] => ["what is not its own", { headers: [name, "a"] }],
  ),
];

describe("a request that can't be sent, or could be read as two", () => {
  it("throws, and nobody is connected to", () => {
    let connections = 0;
    const client = new HttpClient({
      connect: () => (connections += 1),
      headersTimeoutMs: 60_000,
      bodyIdleTimeoutMs: 60_000,
      idleTimeoutMs: 60_000,
    });
    let heard = 0;
    const hear = (): number => (heard += 1);
    const listener = {
      onRequestStart: hear,
      onResponseStart: hear,
      onResponseData: hear,
      onResponseEnd: hear,
      onResponseError: hear,
    };
    for (const [what, parts] of BAD) {
      const send = (): void => client.dispatch(request(parts), listener);
      expect(send, `${what}: ${JSON.stringify(parts)}`).toThrow(
        expect.objectContaining({ code: "ERR_CLIENT_REQUEST" }),
      );
    }
    expect(() => client.dispatch(request({ origin: "nowhere" }), listener)).toThrow("Invalid URL");
    expect([connections, heard]).toEqual([0, 0]);
    client.dispatch(request({}), listener);
    expect(connections).toBe(1);
    client.destroy();
  });

  it("says what is wrong, and of a header its name only", () => {
    const value = ["k", "ey"].join("");
    expect(() => textOf({ headers: ["authorization", `${value}\n`] })).toThrow(
      'the request cannot be sent: a header is "authorization"',
    );
    expect(() => textOf({ target: `/${" ".repeat(1_000)}` })).toThrow(/is "\/ {99}"$/);
  });
});

describe("a head of whatever characters", () => {
  const text = fc.string({
    unit: fc.oneof(
      fc.constantFrom(..."aZ09-:; \t\r\n\0,/".split("")),
      fc.integer({ min: 0, max: 0x17f }).map((code) => String.fromCharCode(code)),
    ),
    maxLength: 12,
  });
  const name = fc.oneof(fc.stringMatching(/^[a-z-]{1,12}$/), text);

  it("is read as exactly the request that was to be sent, or is not sent", () => {
    let sent = 0;
    fc.assert(
      fc.property(
        // Of what could be a method the reader knows the common ones only.
        fc.oneof(
          fc.constantFrom("GET", "POST"),
          text.filter((method) => !/^[A-Z]+$/.test(method)),
        ),
        fc.oneof(fc.stringMatching(/^\/[!-~]{0,12}$/), text),
        fc.array(fc.tuple(name, text), { maxLength: 3 }),
        (method, target, fields) => {
          let head: string;
          try {
            head = textOf({ method, target, headers: fields.flat() });
          } catch {
            return;
          }
          sent += 1;
          const bytes = Buffer.from(head, "latin1");
          const parser = new HeadParser();
          const read = parser.parse(bytes);
          if (read === undefined || "code" in read) throw new Error("it can't be read");
          expect(parser.end).toBe(bytes.length);
          expect([read.method, read.target]).toEqual([method, target]);
          const { names, values } = read.headers;
          const own = method === "POST" ? [["content-length", "0"]] : [];
          expect(names.map((one, i) => [one, values[i]])).toEqual([
            ["host", "a.test"],
            ["connection", "keep-alive"],
            ...fields.map(([one, value]) => [
              one.toLowerCase(),
              value.replaceAll(/^[\t ]+|[\t ]+$/g, ""),
            ]),
            ...own,
          ]);
        },
      ),
      { numRuns: 2_000 },
    );
    expect(sent).toBeGreaterThan(100);
  });
});
