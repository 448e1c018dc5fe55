import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SoughtNames } from "./sought-names.ts";
import { TopLevelScanner, scanTopLevel } from "./top-level-scanner.ts";

const NAMES = ["model", "stream", "stream_options", "usage"];
const WANTED = new SoughtNames(NAMES);

function scanInPieces(body: Buffer, cuts: readonly number[]) {
  const scanner = new TopLevelScanner(WANTED);
  let from = 0;
  for (const cut of [...cuts].toSorted((a, b) => a - b)) {
    scanner.push(Buffer.from(body.subarray(from, cut)));
    from = cut;
  }
  scanner.push(Buffer.from(body.subarray(from)));
  return scanner.finish();
}

describe("TopLevelScanner", () => {
  it("reads the same top-level members as JSON.parse, however the bytes are split", () => {
    const longText = fc
      .array(fc.constantFrom("a", '"', "\\", "é", "{", " "), { minLength: 30, maxLength: 90 })
      .map((characters) => characters.join(""));
    const key = fc.oneof(fc.constantFrom(...NAMES), fc.string({ unit: "binary", maxLength: 6 }));
    const body = fc.tuple(
      fc.uniqueArray(fc.tuple(key, fc.oneof(fc.jsonValue(), longText, fc.array(longText))), {
        selector: ([name]) => name,
      }),
      fc.nat({ max: 3 }),
    );
    fc.assert(
      fc.property(body, fc.array(fc.nat()), ([members, indent], cutSeeds) => {
        const object = Object.fromEntries(members.filter(([name]) => name !== "__proto__"));
        const bytes = Buffer.from(JSON.stringify(object, null, indent));
        const cuts = cutSeeds.map((seed) => seed % (bytes.length + 1));
        const scan = scanInPieces(bytes, cuts);
        expect(scan).toBeDefined();
        for (const name of NAMES) {
          const field = scan?.fields.get(name);
          if (!Object.hasOwn(object, name)) {
            expect(field).toBeUndefined();
            continue;
          }
          expect(JSON.parse(field?.text ?? "")).toEqual(JSON.parse(JSON.stringify(object[name])));
          expect(bytes.toString("utf8", field?.start, field?.end)).toBe(field?.text);
        }
        expect(bytes[scan?.closeOffset ?? 0]).toBe("}".charCodeAt(0));
        expect(scan?.isEmpty).toBe(Object.keys(object).length === 0);
      }),
    );
  });

  it("does not take members of nested objects or text inside strings for its own", () => {
    const body = Buffer.from(
      String.raw`{"messages":[{"model":"inner","x":"}\"model\":1"}],"a":"\\","model":"outer"}`,
    );
    expect(scanTopLevel(body, WANTED)?.fields.get("model")?.text).toBe('"outer"');
  });

  it("recognises a key that is written with escapes", () => {
    const escaped = String.raw`{"\u006dodel":"m"}`;
    expect(scanTopLevel(Buffer.from(escaped), WANTED)?.fields.get("model")?.text).toBe('"m"');
  });

  it("names a wanted member that stands twice, also when one is escaped", () => {
    const body = Buffer.from(String.raw`{"model":"a","mo\u0064el":"b"}`);
    expect(scanTopLevel(body, WANTED)?.duplicate).toBe("model");
  });

  it("finds what is looked for besides, and keeps the start of no long text of it", () => {
    const long = "y".repeat(2_000);
    const body = Buffer.from(`{"messages":[1,"${long}",3],"model":"${long}","tools":[]}`);
    const scanner = new TopLevelScanner(new SoughtNames(NAMES, ["messages", "tools", "model"]));
    for (const half of [body.subarray(0, 1_000), body.subarray(1_000)]) scanner.push(half);
    const scan = scanner.finish();
    const messages = scan?.fields.get("messages");
    expect(messages).toMatchObject({ text: undefined, memberCount: 3 });
    expect(body.toString("utf8", messages?.start, messages?.end)).toBe(`[1,"${long}",3]`);
    expect(scan?.fields.get("tools")).toMatchObject({ text: "[]", memberCount: 0 });
    // What is wanted stays wanted.
    expect(scan?.fields.get("model")?.text).toBe(`"${long}"`);
  });

  it.each(['{"tools":1,"tools":2}', '{"Tools":1}', '{"tools":1,"tool\u017f":2}'])(
    "says of %s that it is not clear what counts, and blames no wanted name",
    (text) => {
      const scanner = new TopLevelScanner(new SoughtNames(NAMES, ["tools"]));
      scanner.push(Buffer.from(text));
      expect(scanner.finish()).toMatchObject({
        duplicate: undefined,
        lookAlike: undefined,
        unclear: expect.stringMatching(/^tool/i) as string,
      });
    },
  );

  it.each([
    "",
    "null",
    "[]",
    "{",
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{"a":1 "b":2}',
    '{"a":1}}',
    '{"a":1} x',
    "{,}",
    '{"a":"unterminated}',
    '{"a":{"b":1}',
  ])("refuses what is not one object: %s", (text) => {
    expect(scanTopLevel(Buffer.from(text), WANTED)).toBeUndefined();
  });

  it("does not capture a value beyond its limit, but still passes over it", () => {
    const body = Buffer.from(`{"usage":"${"x".repeat(300_000)}","model":"m"}`);
    const scan = scanTopLevel(body, WANTED);
    expect(scan?.fields.get("usage")?.text).toBeUndefined();
    expect(scan?.fields.get("model")?.text).toBe('"m"');
  });
});
