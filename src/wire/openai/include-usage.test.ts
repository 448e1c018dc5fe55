import { describe, expect, it } from "vitest";
import { SoughtNames } from "../json/sought-names.ts";
import { spliceBytes } from "../json/splice-bytes.ts";
import { scanTopLevel } from "../json/top-level-scanner.ts";
import { editIncludeUsage } from "./include-usage.ts";

const WANTED = new SoughtNames(["stream_options"]);

function splice(text: string) {
  const body = Buffer.from(text);
  const scan = scanTopLevel(body, WANTED);
  if (!scan) throw new Error("the fixture is not an object");
  const edit = editIncludeUsage(scan);
  const edited = spliceBytes(body, edit === undefined ? [] : [edit]);
  return { text: edited.toString(), isUsageHidden: edit !== undefined };
}

describe("editIncludeUsage", () => {
  it("adds the option when it is absent and leaves every other byte as it was", () => {
    expect(splice('{ "stream" : true, "n":1e2 } \n')).toEqual({
      text: '{ "stream" : true, "n":1e2 ,"stream_options":{"include_usage":true}} \n',
      isUsageHidden: true,
    });
  });

  it("leaves a body alone whose client asked for usage", () => {
    const text = '{"stream":true,"stream_options":{"include_usage":true}}';
    expect(splice(text)).toEqual({ text, isUsageHidden: false });
  });

  it.each(['{"include_usage":false}', "null", "{}"])(
    "turns %s on, and hides the chunk",
    (options) => {
      const result = splice(`{"stream_options":${options},"stream":true}`);
      expect(JSON.parse(result.text)).toEqual({
        stream: true,
        stream_options: { include_usage: true },
      });
      expect(result.isUsageHidden).toBe(true);
    },
  );

  it("keeps the client's other stream options", () => {
    const result = splice('{"stream":true,"stream_options":{"include_obfuscation":false}}');
    expect(JSON.parse(result.text)).toEqual({
      stream: true,
      stream_options: { include_obfuscation: false, include_usage: true },
    });
  });

  it("leaves options of a wrong type for the provider to refuse", () => {
    const text = '{"stream":true,"stream_options":"yes"}';
    expect(splice(text)).toEqual({ text, isUsageHidden: false });
  });
});
