import * as fc from "fast-check";
import { expect, it } from "vitest";
import { readName, walkJson, type JsonVisitor } from "./walk-json.ts";

/** Builds what it is shown, so that it can be held to `JSON.parse`. */
class Builder implements JsonVisitor {
  readonly #bytes: Buffer;
  readonly #open: { key: string | null; members: [string | null, unknown][] }[] = [];
  result: unknown;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  open(key: string | null): boolean {
    this.#open.push({ key, members: [] });
    return true;
  }

  close(): void {
    const { key, members } = this.#open.pop() ?? { key: null, members: [] };
    const isObject = members.some(([name]) => name !== null);
    this.#add(key, isObject ? Object.fromEntries(members) : members.map(([, value]) => value));
  }

  text(key: string | null, start: number, end: number): void {
    this.#add(key, JSON.parse(`"${this.#bytes.toString("utf8", start, end)}"`));
  }

  scalar(key: string | null, start: number, end: number): void {
    this.#add(key, JSON.parse(this.#bytes.toString("utf8", start, end)));
  }

  #add(key: string | null, value: unknown): void {
    const parent = this.#open.at(-1);
    if (parent === undefined) this.result = value;
    else parent.members.push([key, value]);
  }
}

function walk(text: string): { readonly isWhole: boolean; readonly result: unknown } {
  const bytes = Buffer.from(text);
  const builder = new Builder(bytes);
  const isWhole = walkJson(bytes, { start: 0, end: bytes.length }, builder);
  return { isWhole, result: builder.result };
}

it("shows every member of any JSON, whatever its spacing and its escapes", () => {
  const values = fc.jsonValue({ depthSize: "medium", stringUnit: "binary" });
  fc.assert(
    fc.property(values, fc.constantFrom(0, 1, "\t"), (value, space) => {
      const text = JSON.stringify(value, null, space);
      const { isWhole, result } = walk(text);
      expect(isWhole).toBe(true);
      // An empty object is shown as an empty list is: nothing in it.
      expect(JSON.stringify(result).replaceAll("{}", "[]")).toBe(
        JSON.stringify(JSON.parse(text)).replaceAll("{}", "[]"),
      );
    }),
  );
});

it.each(["", "{", "[1,]", '{"a"}', '{"a":}', '{"a":1,}', '"abc', "[1 2]", "1 2", '{"a":1]', '"\\'])(
  "is broken by %s",
  (text) => {
    expect(walk(text).isWhole).toBe(false);
  },
);

it("goes no deeper than any API, and passes over what it is told to at any depth", () => {
  const deep = `${"[".repeat(10_000)}${"]".repeat(10_000)}`;
  expect(walk(deep).isWhole).toBe(false);
  const bytes = Buffer.from(`{"skipped":${deep},"a":"]\\"}"}`);
  const seen: (string | null)[] = [];
  const visitor: JsonVisitor = {
    open: (key) => key !== "skipped",
    close: () => {},
    text: (key) => void seen.push(key),
    scalar: () => {},
  };
  expect(walkJson(bytes, { start: 0, end: bytes.length }, visitor)).toBe(true);
  expect(seen).toEqual(["a"]);
});

it("ends within the bytes it is given", () => {
  const bytes = Buffer.from('{"a":[1,"x"],"b":2}');
  const seen: (string | null)[] = [];
  const visitor: JsonVisitor = {
    open: () => true,
    close: () => {},
    text: (key) => void seen.push(key),
    scalar: (key) => void seen.push(key),
  };
  expect(walkJson(bytes, { start: 5, end: 12 }, visitor)).toBe(true);
  expect(seen).toEqual([null, null]);
  expect(walkJson(bytes, { start: 5, end: 11 }, visitor)).toBe(false);
});

it("reads a name as a parser does, and none that is too long", () => {
  const name = Buffer.from("image\\u005furl");
  expect(readName(name, 0, name.length)).toBe("image_url");
  const long = Buffer.from("x".repeat(257));
  expect(readName(long, 0, 257)).toBeUndefined();
});
