import { expect, it } from "vitest";
import { areTextsAlone } from "./plain-messages.ts";

/** As it stands in the middle of a body. */
function recognised(text: string): boolean {
  const bytes = Buffer.from(`{"messages":${text},"model":"m"}`);
  const start = '{"messages":'.length;
  return areTextsAlone(bytes, { start, end: start + Buffer.byteLength(text) });
}

it("recognises messages of texts, however they are written", () => {
  const texts = [
    '[{"role":"user","content":"hi"}]',
    '[{"content":"hi"}]',
    ' [ { "role" : "system" , "content" : "hi" } , { "name":"a","role":"user","content":"" } ] ',
    String.raw`[{"role":"user","content":"say \"image_url\" \\"},{"role":"user","content":"${"y".repeat(99)}"}]`,
  ];
  expect(texts.filter((text) => !recognised(text))).toEqual([]);
});

it("leaves everything else to those who look closer", () => {
  const others = [
    "[]",
    "[{}]",
    '"text"',
    '["text"]',
    '[{"role":"user","content":null}]',
    '[{"role":"user","content":[{"type":"text","text":"hi"}]}]',
    '[{"role":"user","content":"hi","image_url":"data:image/png;base64,"}]',
    '[{"role":"user","content":"hi"},{"id":"msg_1"}]',
    String.raw`[{"r\u006fle":"user"}]`,
    '[{"Content":"hi"}]',
    '[{"content":"hi"}',
    '[{"content":"hi"',
    '[{"content":"hi',
    '[{"content":',
    '[{"content"',
    '[{"conte',
    '[{"content":"hi",}]',
    '[{"content":"hi"},]',
    '[{"content":"hi"} {"content":"hi"}]',
    '[{"content" "hi"}]',
    '[{"content":"hi"}] []',
    "[",
    "",
  ];
  expect(others.filter(recognised)).toEqual([]);
});
