import { PassThrough, Writable } from "node:stream";
import { expect, test } from "vitest";
import { Output } from "./output.ts";

test("what is printed together is written as one piece, also where printing it fails", () => {
  const pieces: string[] = [];
  const stdout = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      pieces.push(chunk.toString());
      done();
    },
    writev: (chunks, done) => {
      pieces.push(chunks.map(({ chunk }) => String(chunk)).join(""));
      done();
    },
  });
  const output = new Output(
    { stdout, stderr: new PassThrough(), hasColor: { stdout: false, stderr: false } },
    false,
  );
  output.together(() => {
    output.line("one");
    output.line("two");
    expect(pieces).toEqual([]);
  });
  expect(pieces).toEqual(["one\ntwo\n"]);
  expect(() =>
    output.together(() => {
      output.line("three");
      throw new Error("no four");
    }),
  ).toThrow("no four");
  output.line("five");
  expect(pieces).toEqual(["one\ntwo\n", "three\n", "five\n"]);
});
