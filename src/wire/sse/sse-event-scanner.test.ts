import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SseEventScanner, readEventData } from "./sse-event-scanner.ts";

function scan(chunks: readonly Buffer[], maxEventBytes = 1_000_000) {
  const scanner = new SseEventScanner(maxEventBytes);
  const events: { text: string; isWhole: boolean }[] = [];
  for (const chunk of chunks) {
    scanner.push(chunk, (bytes, isWhole) => events.push({ text: bytes.toString(), isWhole }));
  }
  return { events, rest: scanner.rest().toString() };
}

function split(bytes: Buffer, cutSeeds: readonly number[]): Buffer[] {
  const cuts = cutSeeds.map((seed) => seed % (bytes.length + 1)).toSorted((a, b) => a - b);
  return [0, ...cuts].map((from, index) => bytes.subarray(from, cuts[index] ?? bytes.length));
}

const line = fc.oneof(
  fc.constantFrom("data: {}", "data:x", ": comment", "event: a", "data: [DONE]"),
  fc.string({ maxLength: 8 }).map((text) => `data: ${text.replaceAll(/[\r\n]/g, "")}`),
);

describe("SseEventScanner", () => {
  it("finds the same events however the stream is split, and never loses or alters a byte", () => {
    const stream = fc.array(
      fc.tuple(line, fc.constantFrom("\n", "\r\n", "\r", "\n\n", "\r\n\r\n", "\r\r")),
    );
    fc.assert(
      fc.property(stream, fc.array(fc.nat()), (lines, cutSeeds) => {
        const bytes = Buffer.from(lines.map(([text, end]) => text + end).join(""));
        const whole = scan([bytes]);
        const pieces = scan(split(bytes, cutSeeds));
        expect(pieces).toEqual(whole);
        expect(pieces.events.map((event) => event.text).join("") + pieces.rest).toBe(
          bytes.toString(),
        );
      }),
    );
  });

  it.each([
    ["LF", "\n"],
    ["CR LF", "\r\n"],
    ["CR", "\r"],
  ])("ends an event at a blank line of %s", (_name, end) => {
    const first = `event: a${end}data: 1${end}${end}`;
    const second = `data: 2${end}${end}`;
    const { events, rest } = scan([Buffer.from(`${first}${second}tail`)]);
    expect(events.map((event) => event.text)).toEqual([first, second]);
    expect(rest).toBe("tail");
  });

  it("hands out an event over the size limit in pieces, marked as such, and recovers at the next", () => {
    const big = `data: ${"x".repeat(100)}\n\n`;
    const stream = Buffer.from(`${big}data: 2\n\n`);
    const chunks = Array.from({ length: Math.ceil(stream.length / 20) }, (_, index) =>
      stream.subarray(index * 20, index * 20 + 20),
    );
    const { events } = scan(chunks, 50);
    expect(events.map((event) => event.text).join("")).toBe(stream.toString());
    expect(events.at(-1)).toEqual({ text: "data: 2\n\n", isWhole: true });
    expect(events.slice(0, -1).every((event) => !event.isWhole)).toBe(true);
  });
});

describe("readEventData", () => {
  it("joins data lines and drops one leading space", () => {
    expect(readEventData(Buffer.from("event: x\ndata: a\r\ndata:  b\n\n"))).toBe("a\n b");
  });

  it("is undefined for an event without data", () => {
    expect(readEventData(Buffer.from(": keep-alive\n\n"))).toBeUndefined();
  });
});
