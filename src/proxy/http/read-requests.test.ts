/** What is read out of bytes, whichever way they are cut; and that Node's own parser reads the same where it reads at all. */
import { createServer, type RequestListener } from "node:http";
import { Duplex } from "node:stream";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFraming } from "./body-framing.ts";
import { MAX_HEAD_BYTES, MAX_HEADER_FIELDS } from "./head-lines.ts";
import { HeadParser } from "./head-parser.ts";

interface Read {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly body: string;
}

interface Outcome {
  readonly requests: Read[];
  /** What came can be no request. */
  readonly refused: string | undefined;
}

/** As the connection does it: what is not read stays, and more is put behind it. */
function readPieces(pieces: readonly Buffer[]): Outcome {
  const requests: Read[] = [];
  const parser = new HeadParser();
  let unread = Buffer.alloc(0);
  let open:
    | { read: Omit<Read, "body">; body: string; framing: ReturnType<typeof createFraming> }
    | undefined;
  for (const piece of pieces) {
    unread = Buffer.concat([unread, piece]);
    for (;;) {
      if (open === undefined) {
        const head = parser.parse(unread);
        if (head === undefined) break;
        if ("code" in head) return { requests, refused: head.code };
        unread = unread.subarray(parser.end);
        parser.reset();
        const { method, target, headers } = head;
        const fields = headers.names.map((name, i) => [name, headers.values[i] ?? ""] as const);
        open = {
          read: { method, target, fields },
          body: "",
          framing: createFraming(head.bodyLength),
        };
      }
      const { framing } = open;
      while (!framing.isComplete && unread.length > 0) {
        const end = framing.read(unread, 0);
        if (end === -1) return { requests, refused: "malformed_request" };
        open.body += framing.piece?.toString("latin1") ?? "";
        unread = unread.subarray(end);
      }
      if (!framing.isComplete) break;
      requests.push({ ...open.read, body: open.body });
      open = undefined;
    }
  }
  return { requests, refused: undefined };
}

const readWhole = (bytes: Buffer): Outcome => readPieces([bytes]);
const oneByOne = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.from([byte]));

const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/);
const fieldValue = fc.stringMatching(
  /^([!-~\u0080-\u00ff]([\t -~\u0080-\u00ff]{0,40}[!-~\u0080-\u00ff])?)?$/,
);
const blanks = fc.constantFrom("", " ", "\t", "  ");
const TAKEN = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "connection",
  "expect",
  "upgrade",
]);
const field = fc
  .tuple(token, blanks, fieldValue, blanks)
  .filter(([name]) => !TAKEN.has(name.toLowerCase()))
  .map(([name, before, value, behind]) => `${name}:${before}${value}${behind}\r\n`);
const target = fc.stringMatching(/^\/[!-~]{0,60}$/);
const bodyText = fc
  .string({ unit: "grapheme", maxLength: 200 })
  .map((text) => Buffer.from(text).toString("latin1"));

const framed = fc.oneof(
  fc.constant(""),
  bodyText.map((body) => `content-length: ${body.length}\r\n\r\n${body}`),
  fc
    .tuple(
      fc.array(
        fc.tuple(
          bodyText.filter((text) => text !== ""),
          fc.constantFrom("", ";a", ";a=b;c"),
        ),
      ),
      fc.array(field, { maxLength: 2 }),
      fc.constantFrom("chunked", "Chunked", "CHUNKED"),
    )
    .map(([chunks, trailers, name]) => {
      const pieces = chunks.map(
        ([data, extension]) => `${data.length.toString(16)}${extension}\r\n${data}\r\n`,
      );
      return `Transfer-Encoding: ${name}\r\n\r\n${pieces.join("")}0\r\n${trailers.join("")}\r\n`;
    }),
);
const request = fc
  .tuple(
    fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"),
    target,
    fc.array(field, { maxLength: 8 }),
    framed,
  )
  .map(([method, path, fields, rest]) =>
    Buffer.from(
      `${method} ${path} HTTP/1.1\r\nHost: keyward.test\r\n${fields.join("")}${rest === "" ? "\r\n" : rest}`,
      "latin1",
    ),
  )
  // A header of the generator's own may be one that must not come twice.
  .filter((bytes) => readWhole(bytes).refused === undefined);

const head = (fields: string): Buffer => Buffer.from(`GET / HTTP/1.1\r\nhost: a\r\n${fields}\r\n`);

describe("a request", () => {
  it("is read in the same way however its bytes are cut, and so are those behind it", () => {
    fc.assert(
      fc.property(
        fc.array(request, { minLength: 1, maxLength: 3 }),
        fc.array(fc.nat()),
        (list, cuts) => {
          const bytes = Buffer.concat(list);
          const whole = readWhole(bytes);
          expect(whole.requests).toHaveLength(list.length);
          const places = [
            0,
            ...cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b),
            bytes.length,
          ];
          const pieces = places.slice(1).map((end, i) => bytes.subarray(places[i], end));
          expect(readPieces(pieces)).toEqual(whole);
          expect(readPieces(oneByOne(bytes))).toEqual(whole);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("that is injured is refused, or not, in the same way however its bytes are cut", () => {
    fc.assert(
      fc.property(injured, (bytes) => {
        expect(readPieces(oneByOne(bytes))).toEqual(readWhole(bytes));
      }),
      { numRuns: 500 },
    );
  });

  it("has at most so many bytes of head, and so many fields", () => {
    const exact = "x: ".length + "\r\n".length + head("").length;
    const fitting = head(`x: ${"a".repeat(MAX_HEAD_BYTES - exact)}\r\n`);
    expect(readWhole(fitting).requests).toHaveLength(1);
    expect(readWhole(head(`x: ${"a".repeat(MAX_HEAD_BYTES)}\r\n`)).refused).toBe(
      "headers_too_large",
    );
    expect(readWhole(Buffer.alloc(MAX_HEAD_BYTES + 2, "\r\n")).refused).toBe("headers_too_large");
    expect(readWhole(head("a: b\r\n".repeat(MAX_HEADER_FIELDS - 1))).requests).toHaveLength(1);
    expect(readWhole(head("a: b\r\n".repeat(MAX_HEADER_FIELDS))).refused).toBe("headers_too_large");
  });

  it("has chunks whose extensions have names, and values where they say so", () => {
    for (const extension of ["", ";a", ";a=b", ";a=b;c;d=e"]) {
      expect(readWhole(chunked(extension)).requests, extension).toMatchObject([{ body: "abc" }]);
    }
    for (const extension of [";", ";;a", ";a;", ";a=", ";a=;b", ";=b", ";a=b=c", "; a", ';a="b"']) {
      expect(readWhole(chunked(extension)).refused, extension).toBe("malformed_request");
    }
  });

  it("that is none is refused at its first wrong byte, and not waited for", () => {
    for (const beginning of [
      "\u0016\u0003\u0001",
      "GET / HTTP/1.1\r\na: b\n",
      "GET / HTTP/1.1\r\nhost : a\r\n",
      "GET / HTTP/1.1\r\n a: b\r\n",
      "get / HTTP/1.1\r\n",
      "GET  / HTTP/1.1\r\n",
      "GET / HTTP/1.1 \r\n",
      "GET / HTTP/3.0\r\n",
    ]) {
      expect(readWhole(Buffer.from(beginning, "latin1")).refused, beginning).toBe(
        "malformed_request",
      );
    }
  });
});

const chunked = (extension: string): Buffer =>
  Buffer.concat([
    head("transfer-encoding: chunked\r\n"),
    Buffer.from(`3${extension}\r\nabc\r\n0\r\n\r\n`),
  ]);

/** A request with a few bytes put in, left out or changed: those that parsers fall out over, above all. */
const injured = fc
  .tuple(
    request,
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.nat(2),
        fc.constantFrom(
          ...'\r\n\t :;,0123456789aAfFxX\u0000\u000b\u00ff"-+'.split(""),
          "\r\n",
          "\n\n",
          "chunked",
          "content-length: 3\r\n",
          "transfer-encoding: chunked\r\n",
        ),
      ),
      { minLength: 1, maxLength: 3 },
    ),
  )
  .map(([bytes, wounds]) => {
    let text = bytes.toString("latin1");
    for (const [place, removed, inserted] of wounds) {
      const at = place % text.length;
      text = text.slice(0, at) + inserted + text.slice(at + removed);
    }
    return Buffer.from(text, "latin1");
  });

const FRAMING_IN_TRAILERS =
  /\r\n0+(?:;[^\r\n]*)?\r\n(?:[^\r\n]+\r\n)*(?:content-length|transfer-encoding):/i;

describe("Node's parser reads the same", () => {
  const server = createServer({ insecureHTTPParser: false, requireHostHeader: false });

  /** All requests that Node makes of the bytes, with the fault that it ends with. */
  async function readByNode(bytes: Buffer): Promise<Outcome> {
    const requests: Read[] = [];
    let refused: string | undefined;
    const socket = new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, done) => done(),
    });
    for (const name of ["request", "checkExpectation", "clientError"]) {
      server.removeAllListeners(name);
    }
    const take: RequestListener = (req, res) => {
      const chunks: Buffer[] = [];
      req.on("data", (chunk: Buffer) => chunks.push(chunk));
      req.on("end", () => {
        const raw: string[] = req.rawHeaders;
        const fields = raw.flatMap((name, i) =>
          i % 2 === 0 ? [[name.toLowerCase(), raw[i + 1] ?? ""] as const] : [],
        );
        requests.push({
          method: req.method ?? "",
          target: req.url ?? "",
          fields,
          body: Buffer.concat(chunks).toString("latin1"),
        });
        res.end();
      });
    };
    server.on("request", take);
    server.on("checkExpectation", take);
    server.on("clientError", (err: NodeJS.ErrnoException) => (refused ??= err.code));
    server.emit("connection", socket);
    socket.push(bytes);
    for (let turn = 0; turn < 12; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
    return { requests, refused };
  }

  it("of every well-formed request", async () => {
    await fc.assert(
      fc.asyncProperty(request, async (bytes) => {
        expect(await readByNode(bytes)).toEqual(readWhole(bytes));
      }),
      { numRuns: 150 },
    );
  });

  it("of every injured one that is taken here: what is stricter refuses, and nothing reads another request", async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(injured, async (bytes) => {
        const here = readWhole(bytes);
        // Node refuses these in trailers, too, when it has had the whole body; trailers are dropped here.
        if (FRAMING_IN_TRAILERS.test(bytes.toString("latin1"))) return;
        if (here.requests.length === 0) return;
        taken += 1;
        const there = await readByNode(bytes);
        expect(there.requests.slice(0, here.requests.length)).toEqual(here.requests);
      }),
      { numRuns: 600 },
    );
    expect(taken).toBeGreaterThan(50);
  });
});
