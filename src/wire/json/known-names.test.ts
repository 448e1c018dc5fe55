import { describe, expect, it } from "vitest";
import { isPlainName, KnownNames } from "./known-names.ts";

const KNOWN = new KnownNames(["n", "model", "tools", "stream_options"]);

function find(text: string, name: string): string | undefined {
  const bytes = Buffer.from(text);
  const start = bytes.indexOf(name);
  return KNOWN.find(bytes, start, start + Buffer.byteLength(name));
}

function isPlain(name: string): boolean {
  return isPlainName(Buffer.from(name), 0, Buffer.byteLength(name));
}

describe("KnownNames", () => {
  it("recognises a name where it stands, and nothing that begins or ends like it", () => {
    expect(find('{"model":1}', "model")).toBe("model");
    expect(find('{"tools":1}', "tools")).toBe("tools");
    expect(find('{"n":1}', "n")).toBe("n");
    for (const other of ["mode", "models", "Model", "modul", "", "stream-options", "mödel"]) {
      expect(find(`{"${other}":1}`, other), other).toBeUndefined();
    }
  });

  it("tells what is written in another way than it is read", () => {
    expect(["model", "max_tokens", "x-1", "", "a b"].map(isPlain)).toEqual(Array(5).fill(true));
    const odd = ["Model", "m\\u006fdel", "mod\u212al", "ſtream", "é", "modeL"];
    expect(odd.map(isPlain)).toEqual(Array(6).fill(false));
  });
});
