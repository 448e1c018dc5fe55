/** What is read out of an answer's bytes, whichever way they are cut; and that Node's own client reads the same where we read at all. */
import { request as requestByNode, type IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFraming } from "../http/body-framing.ts";
import { MAX_HEAD_BYTES } from "../http/head-lines.ts";
import { HeaderFields } from "../http/header-fields.ts";
import { ResponseHeadParser } from "./response-head.ts";

interface Head {
  readonly status: number;
  readonly headers: HeaderFields;
}

interface Outcome {
  readonly interim: readonly Head[];
  /** The real one, as far as it came. */
  readonly answer: (Head & { readonly body: string; readonly isWhole: boolean }) | undefined;
  /** What came can be no answer. */
  readonly isRefused: boolean;
  /** What stands behind it. */
  readonly rest: string;
}

/** As the connection does it: what is not read stays, and more is put behind it. At the end the connection ends. */
function readPieces(pieces: readonly Buffer[], method: string): Outcome {
  const parser = new ResponseHeadParser();
  const interim: Head[] = [];
  let open:
    | { head: Head; isUntilClose: boolean; framing: ReturnType<typeof createFraming> }
    | undefined;
  let body = "";
  let unread = Buffer.alloc(0);
  const outcome = (isRefused: boolean, isEnded = false): Outcome => {
    const rest = isRefused ? "" : unread.toString("latin1");
    if (open === undefined) return { interim, answer: undefined, isRefused, rest };
    const isWhole = open.framing.isComplete || (isEnded && open.isUntilClose);
    return { interim, answer: { ...open.head, body, isWhole }, isRefused, rest };
  };
  for (const piece of pieces) {
    unread = Buffer.concat([unread, piece]);
    while (open === undefined) {
      let head;
      try {
        head = parser.parse(unread, method);
      } catch {
        return outcome(true);
      }
      if (head === undefined) break;
      unread = unread.subarray(parser.end);
      parser.reset();
      const { status, headers, bodyLength } = head;
      // Nobody asks for another protocol.
      if (status === 101) return outcome(true);
      if (status < 200) interim.push({ status, headers });
      else {
        const isUntilClose = bodyLength === "until-close";
        open = { head: { status, headers }, isUntilClose, framing: createFraming(bodyLength) };
      }
    }
    if (open === undefined) continue;
    const { framing } = open;
    while (!framing.isComplete && unread.length > 0) {
      const end = framing.read(unread, 0);
      if (end === -1) return outcome(true);
      body += framing.piece?.toString("latin1") ?? "";
      unread = unread.subarray(end);
    }
  }
  return outcome(false, true);
}

const readWhole = (bytes: Buffer, method = "GET"): Outcome => readPieces([bytes], method);
const oneByOne = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.from([byte]));
const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");

const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/);
const fieldValue = fc.stringMatching(
  /^([!-~\u0080-\u00ff]([\t -~\u0080-\u00ff]{0,40}[!-~\u0080-\u00ff])?)?$/,
);
const blanks = fc.constantFrom("", " ", "\t", "  ");
const TAKEN = new Set(["content-length", "transfer-encoding", "connection", "upgrade"]);
const field = fc
  .tuple(
    fc.oneof(token, fc.constantFrom("Set-Cookie", "set-cookie", "X-Request-Id", "constructor")),
    blanks,
    fieldValue,
    blanks,
  )
  .filter(([name]) => !TAKEN.has(name.toLowerCase()) && name !== "__proto__")
  .map(([name, before, value, behind]) => `${name}:${before}${value}${behind}\r\n`);
const fields = fc.array(field, { maxLength: 6 }).map((lines) => lines.join(""));
const bodyText = fc
  .string({ unit: "grapheme", maxLength: 200 })
  .map((text) => Buffer.from(text).toString("latin1"));
const reason = fc.oneof(
  fc.constantFrom("", " ", " OK", " Not Found"),
  fc.stringMatching(/^ [ -~]{0,20}$/),
);
const connection = fc.constantFrom(
  "",
  "connection: close\r\n",
  "Connection: Keep-Alive\r\nKeep-Alive: timeout=5, max=100\r\n",
);

const chunked = fc
  .tuple(
    fc.array(
      fc.tuple(
        bodyText.filter((text) => text !== ""),
        fc.constantFrom("", ";a", ";a=b;c"),
      ),
      { maxLength: 4 },
    ),
    fc.array(field, { maxLength: 2 }),
    fc.constantFrom("chunked", "Chunked", "CHUNKED"),
  )
  .map(([chunks, trailers, name]) => {
    const pieces = chunks.map(
      ([data, extension]) => `${data.length.toString(16)}${extension}\r\n${data}\r\n`,
    );
    return `Transfer-Encoding: ${name}\r\n\r\n${pieces.join("")}0\r\n${trailers.join("")}\r\n`;
  });
const framed = fc.oneof(
  bodyText.map((body) => `Content-Length: ${body.length}\r\n\r\n${body}`),
  chunked,
  bodyText.map((body) => `\r\n${body}`),
);
const interim = fc
  .tuple(fc.constantFrom(100, 102, 103, 199), reason, fields)
  .map(([status, why, lines]) => `HTTP/1.1 ${status}${why}\r\n${lines}\r\n`);
const finalAnswer = fc
  .tuple(
    fc.oneof(fc.constantFrom(200, 404, 429, 500, 999), fc.integer({ min: 200, max: 999 })),
    fc.tuple(reason, fc.constantFrom("1.1", "1.1", "1.0")),
    fields,
    fc.tuple(connection, framed),
  )
  .filter(([status]) => status !== 204 && status !== 304)
  .map(
    ([status, [why, version], lines, [kept, rest]]) =>
      `HTTP/${version} ${status}${why}\r\n${lines}${kept}${rest}`,
  );
const bodiless = fc
  .tuple(fc.constantFrom(204, 304), reason, fields, fc.constantFrom("", "content-length: 3\r\n"))
  .map(([status, why, lines, length]) => `HTTP/1.1 ${status}${why}\r\n${lines}${length}\r\n`);
const answer = fc
  .tuple(fc.array(interim, { maxLength: 2 }), fc.oneof(finalAnswer, finalAnswer, bodiless))
  .map(([before, last]) => latin1(before.join("") + last))
  // A field of the generator's own may say something of the body.
  .filter((bytes) => readWhole(bytes).answer?.isWhole === true);

/** An answer with a few bytes put in, left out or changed: those that parsers fall out over, above all. */
const injured = fc
  .tuple(
    answer,
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.nat(2),
        fc.constantFrom(
          ...'\r\n\t :;,0123456789aAfFxX\u0000\u000b\u00ff"-+'.split(""),
          "\r\n",
          "\n\n",
          "\r\n\r\n",
          "chunked",
          "\r\ncontent-length: 3",
          "\r\ntransfer-encoding: chunked",
          "\r\ntransfer-encoding: gzip",
          "\r\nconnection: close",
          "\r\nupgrade: a",
          "HTTP/1.1 200 OK\r\n\r\n",
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
    return latin1(text);
  });
const method = fc.constantFrom("GET", "GET", "POST", "HEAD");

const head = (lines: string): Buffer => latin1(`HTTP/1.1 204 None\r\n${lines}\r\n`);

describe("an answer", () => {
  it("is read in the same way however its bytes are cut, and so is what stands behind it", () => {
    fc.assert(
      fc.property(
        answer,
        fc.constantFrom("", "HTTP/1.1 200 OK\r\n\r\n", "\r\n"),
        fc.array(fc.nat()),
        method,
        (one, behind, cuts, asked) => {
          const bytes = Buffer.concat([one, latin1(behind)]);
          const whole = readWhole(bytes, asked);
          expect(whole.answer?.isWhole).toBe(true);
          const places = [
            0,
            ...cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b),
            bytes.length,
          ];
          const pieces = places.slice(1).map((end, i) => bytes.subarray(places[i], end));
          expect(readPieces(pieces, asked)).toEqual(whole);
          expect(readPieces(oneByOne(bytes), asked)).toEqual(whole);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("that is injured is refused, or not, in the same way however its bytes are cut", () => {
    fc.assert(
      fc.property(injured, method, (bytes, asked) => {
        expect(readPieces(oneByOne(bytes), asked)).toEqual(readWhole(bytes, asked));
      }),
      { numRuns: 300 },
    );
  });

  it("has at most so many bytes of head, and as many fields as fit", () => {
    const room = MAX_HEAD_BYTES - head("x: \r\n").length;
    expect(readWhole(head(`x: ${"a".repeat(room)}\r\n`)).answer?.isWhole).toBe(true);
    expect(readWhole(head(`x: ${"a".repeat(MAX_HEAD_BYTES)}\r\n`)).isRefused).toBe(true);
    const { answer: read } = readWhole(head("a: b\r\n".repeat(5_000)));
    expect(read?.headers.count).toBe(5_000);
  });

  it("that is none is refused at its first wrong byte, and not waited for", () => {
    for (const beginning of [
      "\u0015\u0003\u0001",
      "\r\n",
      "HTTP/1.1 200 OK\n",
      "HTTP/1.1 200 OK\r\na: b\n",
      "HTTP/1.1 200 OK\r\na : b\r\n",
      "HTTP/1.1 200 OK\r\n a: b\r\n",
      "HTTP/1.1 200 OK\r\na: b\r\n c\r\n",
      "HTTP/1.1 200 OK\r\na\r\n",
      "HTTP/1.1 200 OK\r\n: a\r\n",
      "HTTP/1.1 200 OK\r\na: b\u0000\r\n",
      "HTTP/1.1 99 OK\r\n",
      "HTTP/1.1 099 OK\r\n",
      "HTTP/1.1 2000 OK\r\n",
      "HTTP/1.1 2x0 OK\r\n",
      "HTTP/1.1  200 OK\r\n",
      "HTTP/1.1200 OK\r\n",
      "HTTP/1.1 200\tOK\r\n",
      "HTTP/1.1\r\n",
      "HTTP/1.2 200 OK\r\n",
      "HTTP/2.0 200 OK\r\n",
      "http/1.1 200 OK\r\n",
      "ICY 200 OK\r\n",
    ]) {
      expect(readWhole(latin1(beginning)).isRefused, JSON.stringify(beginning)).toBe(true);
    }
  });

  it("whose end could be found in two ways is refused, and so is a coding that nobody asked for", () => {
    for (const lines of [
      "content-length: 3\r\ntransfer-encoding: chunked\r\n",
      "content-length: 3\r\ncontent-length: 3\r\n",
      "content-length: 3, 3\r\n",
      "content-length: +3\r\n",
      "content-length: 0x3\r\n",
      "content-length: \r\n",
      "content-length: 1234567890123456\r\n",
      "transfer-encoding: gzip, chunked\r\n",
      "transfer-encoding: chunked, gzip\r\n",
      "transfer-encoding: chunked, chunked\r\n",
      "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
      "transfer-encoding: xchunked\r\n",
      "transfer-encoding: \r\n",
    ]) {
      for (const status of [200, 204, 304, 103]) {
        const bytes = latin1(`HTTP/1.1 ${status} OK\r\n${lines}\r\n`);
        expect(readWhole(bytes).isRefused, `${status} ${lines}`).toBe(true);
        expect(readWhole(bytes, "HEAD").isRefused, `${status} to HEAD ${lines}`).toBe(true);
      }
    }
  });

  it("cannot end its connection, or be of HTTP/1.0, while it is an interim one", () => {
    for (const beginning of [
      "HTTP/1.1 103 Early Hints\r\nconnection: close\r\n\r\n",
      "HTTP/1.0 100 Continue\r\n\r\n",
    ]) {
      expect(readWhole(latin1(beginning)).isRefused, beginning).toBe(true);
    }
  });

  it("names its fields in lower case, and has those that came more than once as often", () => {
    const text =
      "HTTP/1.1 204 None\r\nSET-Cookie: a\r\nX-A:  b\t\r\nset-cookie: c\r\n__proto__: d\r\nSet-Cookie: e\r\nconstructor: f\r\n\r\n";
    const headers = readWhole(latin1(text)).answer?.headers;
    const names = ["set-cookie", "x-a", "set-cookie", "__proto__", "set-cookie", "constructor"];
    expect(headers?.names).toEqual(names);
    expect(headers?.values).toEqual(["a", "b", "c", "d", "e", "f"]);
  });
});

const parse = (text: string) => new ResponseHeadParser().parse(latin1(text), "GET");
const isKept = (lines: string, version = "1.1"): boolean | undefined =>
  parse(`HTTP/${version} 200 OK\r\n${lines}\r\n`)?.isKeptAlive;
const keptForMs = (value: string): number | undefined =>
  parse(`HTTP/1.1 204 None\r\nkeep-alive: ${value}\r\n\r\n`)?.keptForMs;

describe("whether its connection goes on", () => {
  it("is what the server says, and what its version means where it says nothing", () => {
    const length = "content-length: 0\r\n";
    expect(isKept(length)).toBe(true);
    expect(isKept(`connection: keep-alive\r\n${length}`)).toBe(true);
    expect(isKept(`connection: closed\r\n${length}`)).toBe(true);
    for (const value of ["close", "Close", "a, close", "close ,a", "keep-alive, close"]) {
      expect(isKept(`connection: ${value}\r\n${length}`), value).toBe(false);
    }
    expect(isKept(`connection: a\r\nconnection: close\r\n${length}`)).toBe(false);
    expect(isKept(length, "1.0")).toBe(false);
    expect(isKept(`connection: Keep-Alive\r\n${length}`, "1.0")).toBe(true);
    // Its body ends with it.
    expect(isKept("")).toBe(false);
    // Of HTTP/1.0 chunks are no part.
    const chunks = "transfer-encoding: chunked\r\n";
    expect(isKept(chunks)).toBe(true);
    expect(isKept(`connection: keep-alive\r\n${chunks}`, "1.0")).toBe(false);
  });

  it("and for how long, is read where the server says it", () => {
    expect(keptForMs("timeout=5")).toBe(5_000);
    expect(keptForMs("max=100, Timeout = 72")).toBe(72_000);
    expect(keptForMs("max=100;timeout=0")).toBe(0);
    expect(keptForMs("xtimeout=5")).toBeUndefined();
    expect(keptForMs("max=100")).toBeUndefined();
    expect(parse("HTTP/1.1 204 None\r\n\r\n")?.keptForMs).toBeUndefined();
  });
});

/** What Node makes of the bytes. Faults behind the answer are not looked at: here they end the connection. */
async function readByNode(
  bytes: Buffer,
  asked: string,
): Promise<Pick<Outcome, "interim" | "answer">> {
  const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  const interims: Head[] = [];
  let response: IncomingMessage | undefined;
  let body = "";
  const req = requestByNode({
    createConnection: () => socket,
    method: asked,
    insecureHTTPParser: false,
    maxHeaderSize: 2 * MAX_HEAD_BYTES,
  });
  req.on("information", ({ statusCode, rawHeaders }) => {
    interims.push({ status: statusCode, headers: asFields(rawHeaders) });
  });
  req.on("response", (res) => {
    response = res;
    res.on("data", (chunk: Buffer) => (body += chunk.toString("latin1")));
    res.on("error", () => undefined);
  });
  req.on("error", () => undefined);
  req.end();
  await turns(2);
  socket.push(bytes);
  socket.push(null);
  await turns(6);
  socket.destroy();
  if (response === undefined) return { interim: interims, answer: undefined };
  const { statusCode: status = 0, rawHeaders, complete: isWhole } = response;
  return { interim: interims, answer: { status, headers: asFields(rawHeaders), body, isWhole } };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

function asFields(raw: readonly string[]): HeaderFields {
  const lowered = new HeaderFields();
  for (let i = 0; i < raw.length; i += 2)
    lowered.add((raw[i] ?? "").toLowerCase(), raw[i + 1] ?? "");
  return lowered;
}

describe("Node's client reads the same", () => {
  it("of every well-formed answer", async () => {
    await fc.assert(
      fc.asyncProperty(answer, method, async (bytes, asked) => {
        const { interim: before, answer: read } = readWhole(bytes, asked);
        expect(await readByNode(bytes, asked)).toEqual({ interim: before, answer: read });
      }),
      { numRuns: 150 },
    );
  });

  it("of every injured one that is taken here: what is stricter refuses, and nothing reads another answer", async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(injured, method, async (bytes, asked) => {
        const { interim: before, answer: read } = readWhole(bytes, asked);
        if (read?.isWhole !== true) return;
        taken += 1;
        const byNode = await readByNode(bytes, asked);
        // Node refuses a length in a trailer, too, when it has had the whole body; trailers are dropped here.
        const whole = byNode.answer && { ...byNode.answer, isWhole: true };
        expect({ ...byNode, answer: whole }).toEqual({ interim: before, answer: read });
      }),
      { numRuns: 600 },
    );
    expect(taken).toBeGreaterThan(20);
  });
});
