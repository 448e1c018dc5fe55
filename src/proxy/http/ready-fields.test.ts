import { describe, expect, it } from "vitest";
import { ReadyFields } from "./ready-fields.ts";
import { formatHead } from "./reply-head.ts";

describe("fields that many replies have alike", () => {
  it("stand in a head as those do that are given with it", () => {
    const fields = ["x-ratelimit-limit-requests", "60", "x-note", "a\tb é"];
    const ready = new ReadyFields(fields);
    expect(ready.lines).toBe("x-ratelimit-limit-requests: 60\r\nx-note: a\tb é\r\n");
    const { lines } = formatHead(200, ["content-length", "2"], ready);
    expect(lines).toBe(`HTTP/1.1 200 OK\r\n${ready.lines}content-length: 2\r\n`);
    expect(formatHead(200, ["x-own", "1", ...fields], new ReadyFields([])).lines).toBe(
      formatHead(200, ["x-own", "1", ...fields]).lines,
    );
  });

  it("are found by their names", () => {
    const ready = new ReadyFields(["x-note", "x-other"]);
    expect(ready.has("x-note")).toBe(true);
    expect(ready.has("x-other")).toBe(false);
  });

  it.each([
    ["a line end in a value", ["x-note", "a\r\nset-cookie: b"]],
    ["a line feed in a name", ["x-note\n", "a"]],
    ["a colon in a name", ["x-note: a", "b"]],
    ["a name in upper case", ["X-Note", "a"]],
    ["a character beyond Latin-1", ["x-note", "€"]],
    ["an empty name", ["", "a"]],
  ])("are refused for %s", (_what, fields) => {
    expect(() => new ReadyFields(fields)).toThrow(/header|field/);
  });

  it.each(["connection", "content-length", "transfer-encoding", "date"])(
    "say nothing of how a message is framed: %s",
    (name) => {
      expect(() => new ReadyFields(["x-note", "a", name, "1"])).toThrow(name);
    },
  );
});
