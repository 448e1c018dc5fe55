import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FormFieldScanner, readFormBoundary } from "./form-field-scanner.ts";

const WANTED = new Set(["model", "size"]);

function part(disposition: string, content: string, more = ""): string {
  return `--b\r\nContent-Disposition: form-data; ${disposition}\r\n${more}\r\n${content}\r\n`;
}
const field = (name: string, value: string) => part(`name="${name}"`, value);
const file = (name: string, content: string) =>
  part(`name="${name}"; filename="a.wav"`, content, "Content-Type: audio/wav\r\n");

function scan(body: string | Buffer, sizes: readonly number[] = []): FormFieldScanner {
  const bytes = Buffer.from(body as string, "latin1");
  const scanner = new FormFieldScanner("b", WANTED);
  let at = 0;
  for (const size of sizes) {
    // The chunk's owner may use its memory again.
    const chunk = Buffer.from(bytes.subarray(at, at + size));
    scanner.push(chunk);
    chunk.fill(0);
    at += size;
  }
  scanner.push(bytes.subarray(at));
  return scanner;
}

describe("FormFieldScanner", () => {
  it("reads the fields before and behind a file", () => {
    const form = scan(
      `${field("model", "whisper-1")}${file("file", "RIFF\r\n--a")}${field("size", "1x1")}--b--\r\n`,
    );
    expect(form.field("model")).toBe("whisper-1");
    expect(form.field("size")).toBe("1x1");
    expect(form.field("file")).toBeUndefined();
    expect(form.isClosed).toBe(true);
  });

  it("knows a field as soon as the part is over", () => {
    const form = scan(`${field("model", "m")}--b\r\nContent-`);
    expect(form.has("model")).toBe(true);
    expect(form.isClosed).toBe(false);
  });

  it.each([
    ["an empty one", field("model", ""), ""],
    ["one of several lines", field("model", "a\r\nb\r\n"), "a\r\nb\r\n"],
    ["one whose name is not quoted", part("name=model", "m"), "m"],
    [
      "one whose header names are in another case",
      '--b\r\ncontent-DISPOSITION: form-data; NAME="model"\r\n\r\nm\r\n',
      "m",
    ],
    [
      "one after a file whose name looks like one",
      part('filename="; name=size"; name="model"', "m"),
      "m",
    ],
    ["one after a preamble", `hello\r\n${field("model", "m")}`, "m"],
  ])("reads %s", (_name, body, value) => {
    expect(scan(`${body}--b--`).field("model")).toBe(value);
  });

  it("does not take a file's content for a field", () => {
    const inner = 'x\r\n--c\r\nContent-Disposition: form-data; name="model"\r\n\r\nevil\r\n--c--';
    expect(scan(`${file("file", inner)}--b--`).field("model")).toBeUndefined();
  });

  it("says which field is there twice, and takes neither", () => {
    const form = scan(`${field("model", "a")}${field("model", "b")}--b--`);
    expect(form.duplicate).toBe("model");
    expect(form.field("model")).toBeUndefined();
  });

  it("gives no value that is too long to be one", () => {
    expect(scan(`${field("model", "m".repeat(4097))}--b--`).field("model")).toBeUndefined();
    expect(scan(`${field("model", "m".repeat(4096))}--b--`).field("model")).toHaveLength(4096);
  });

  it.each([
    [
      "a boundary without a line end before it",
      `${field("model", "m")}${file("file", "x--b\r\n\r\n")}`,
    ],
    [
      "a boundary after a bare line feed",
      `${field("model", "m")}${file("file", "x\n--b\r\n\r\n")}`,
    ],
    ["a boundary with something behind it", `${field("model", "m")}--bc\r\n\r\n\r\n`],
    ["a part without a name", `${field("model", "m")}--b\r\n\r\nx\r\n`],
    ["a part with two names", `${field("model", "m")}${part('name="a"; name="model"', "x")}`],
    ["a name in a coding of its own", `${field("model", "m")}${part("name*=UTF-8''model", "x")}`],
    ["a folded header", `${field("model", "m")}${part('x="y";\r\n name="model"', "x")}`],
    [
      "two dispositions",
      `${field("model", "m")}${part('name="a"', "x", 'Content-Disposition: form-data; name="model"\r\n')}`,
    ],
    [
      "an encoded content",
      `${field("model", "m")}${part('name="size"', "MQ==", "Content-Transfer-Encoding: base64\r\n")}`,
    ],
    ["headers without an end", `${field("model", "m")}--b\r\n${"x".repeat(9000)}`],
  ])("reads nothing in a form that servers may read differently: %s", (_name, body) => {
    const form = scan(`${body}--b--`);
    expect(form.field("model")).toBeUndefined();
    expect(form.isClosed).toBe(false);
  });

  it("reads the same however the bytes are split", () => {
    const piece = fc.constantFrom(
      "\r\n",
      "--b",
      "--",
      "-",
      "b",
      "a",
      "\r",
      "\n",
      "\r\n--b\r\n",
      " ",
      "--b--",
      'name="model"',
    );
    const form = fc.array(
      fc.oneof(
        piece,
        piece.map((text) => field("model", text)),
        fc.array(piece).map((texts) => file("file", texts.join(""))),
        fc.constant(field("size", "1x1")),
      ),
      { maxLength: 8 },
    );
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });
    fc.assert(
      fc.property(form, sizes, (parts, split) => {
        const body = `${parts.join("")}--b--\r\n`;
        const whole = scan(body);
        const cut = scan(body, split);
        for (const name of WANTED) {
          expect(cut.field(name)).toBe(whole.field(name));
          expect(cut.has(name)).toBe(whole.has(name));
        }
        expect(cut.duplicate).toBe(whole.duplicate);
        expect(cut.isClosed).toBe(whole.isClosed);
      }),
      { numRuns: 500 },
    );
  });
});

describe("readFormBoundary", () => {
  it.each([
    ["multipart/form-data; boundary=b", "b"],
    ['Multipart/Form-Data; charset=utf-8; Boundary="a b"', "a b"],
    ["multipart/form-data; boundary=----WebKitFormBoundary7MA4", "----WebKitFormBoundary7MA4"],
    ["multipart/form-data", undefined],
    ["multipart/form-data; boundary=", undefined],
    ["multipart/form-data; boundary=a; boundary=b", undefined],
    [`multipart/form-data; boundary=${"b".repeat(71)}`, undefined],
    ["application/json; boundary=b", undefined],
    [undefined, undefined],
  ])("finds the boundary in %s", (contentType, boundary) => {
    expect(readFormBoundary(contentType)).toBe(boundary);
  });
});
