import { expect, it } from "vitest";
import { spliceBytes } from "./splice-bytes.ts";

const BODY = Buffer.from('{"model":"fast","n":1}');

it("puts texts in place, in whatever order they come, and keeps every other byte", () => {
  const edits = [
    { start: 21, end: 21, text: ',"m":2' },
    { start: 9, end: 15, text: '"gpt-4o-mini"' },
  ];
  expect(spliceBytes(BODY, edits).toString()).toBe('{"model":"gpt-4o-mini","n":1,"m":2}');
});

it("hands back the body itself where there is nothing to do", () => {
  expect(spliceBytes(BODY, [])).toBe(BODY);
});
