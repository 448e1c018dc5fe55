import { expect, test } from "vitest";
import { spokenSegments, toSrt, toVtt } from "./subtitles.ts";

const TOKENS = "a b c d e f g h i j".split(" ").map((letter) => ` ${letter}`);

test("segments follow each other without a gap, from the beginning of the sound to its end", () => {
  const segments = spokenSegments(TOKENS, 3723.5);
  expect(segments.map(({ text }) => text).join("")).toBe(TOKENS.join(""));
  expect(segments[0]?.startSeconds).toBe(0);
  expect(segments.at(-1)?.endSeconds).toBe(3723.5);
  expect(segments[1]?.startSeconds).toBe(segments[0]?.endSeconds);
  expect(segments[1]?.words.map(({ word }) => word)).toEqual(["i", "j"]);
});

test("times are written as each format wants them", () => {
  const [first] = spokenSegments([" one"], 3723.5);
  if (first === undefined) throw new Error("there is no segment");
  expect(toSrt([first])).toBe("1\n00:00:00,000 --> 01:02:03,500\none\n\n");
  expect(toVtt([first])).toBe("WEBVTT\n\n00:00:00.000 --> 01:02:03.500\none\n\n");
});
