import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { multipartBoundary, MultipartReader, type MultipartForm } from "./multipart-reader.ts";

const KEPT_BYTES = 100;
const BOUNDARY = "----form-data-boundary";

function encode(parts: readonly { header: string; body: Uint8Array }[]): Buffer {
  const pieces = parts.flatMap(({ header, body }) => [
    Buffer.from(`--${BOUNDARY}\r\n${header}\r\n\r\n`),
    Buffer.from(body),
    Buffer.from("\r\n"),
  ]);
  return Buffer.concat([...pieces, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}

function read(pieces: readonly Uint8Array[]): MultipartForm | undefined {
  const reader = new MultipartReader(BOUNDARY, KEPT_BYTES);
  return pieces.every((piece) => reader.write(piece)) ? reader.end() : undefined;
}

const fileHeader = `Content-Disposition: form-data; name="file"; filename="a b.bin"\r\nContent-Type: application/octet-stream`;
const fieldHeader = `content-disposition: form-data; name="purpose"`;

test("any split of the bytes gives the same form, whatever the file holds", () => {
  const looksLikeForm = fc
    .array(fc.constantFrom("\r\n", "--", BOUNDARY, "\r", "-", "a"))
    // A delimiter inside a body would be a wrong form: the sender picks a boundary that is not in it.
    .map((words) => words.join("").replaceAll(`\r\n--${BOUNDARY}`, ""))
    .map((text) => Buffer.from(text));
  const content = fc.oneof(fc.uint8Array({ maxLength: 300 }), looksLikeForm);
  const cuts = fc.array(fc.nat({ max: 600 }), { maxLength: 12 });
  fc.assert(
    fc.property(content, cuts, (body, places) => {
      if (Buffer.from(body).includes(`\r\n--${BOUNDARY}`)) return;
      const bytes = encode([
        { header: fieldHeader, body: Buffer.from("batch") },
        { header: fileHeader, body },
      ]);
      const edges = [0, ...places.toSorted((a, b) => a - b), bytes.length];
      const pieces = edges.slice(1).map((end, i) => bytes.subarray(edges[i], end));
      const form = read(pieces);
      expect(form?.fields).toEqual(new Map([["purpose", "batch"]]));
      expect(form?.files).toEqual([
        {
          field: "file",
          filename: "a b.bin",
          bytes: body.length,
          sha256: createHash("sha256").update(body).digest("hex"),
          content: body.length > KEPT_BYTES ? null : Buffer.from(body),
        },
      ]);
    }),
  );
});

test("a form that breaks off is none", () => {
  const whole = encode([{ header: fileHeader, body: Buffer.from("content") }]);
  expect(read([whole])).toBeDefined();
  expect(read([whole.subarray(0, -8)])).toBeUndefined();
  expect(read([])).toBeUndefined();
});

test("limits hold: header, field and number of parts", () => {
  const part = { header: fieldHeader, body: Buffer.from("x") };
  expect(read([encode([{ ...part, body: Buffer.alloc(65_537) }])])).toBeUndefined();
  expect(read([encode([{ ...part, header: `x: ${"y".repeat(5000)}` }])])).toBeUndefined();
  expect(read([encode(Array.from({ length: 65 }, () => part))])).toBeUndefined();
});

test("the boundary is read with and without quotes, and from forms only", () => {
  expect(multipartBoundary("multipart/form-data; boundary=abc")).toBe("abc");
  expect(multipartBoundary('Multipart/Form-Data; charset=utf-8; boundary="a b"')).toBe("a b");
  expect(multipartBoundary("application/json; boundary=abc")).toBeUndefined();
  expect(multipartBoundary(undefined)).toBeUndefined();
});
