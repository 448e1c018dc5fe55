import { expect, it } from "vitest";
import { SoughtNames } from "../json/sought-names.ts";
import { spliceBytes } from "../json/splice-bytes.ts";
import { scanTopLevel } from "../json/top-level-scanner.ts";
import { editOutputLimit } from "./edit-output-limit.ts";

const CHAT_FIELDS = ["max_completion_tokens", "max_tokens"];

function edited(body: string, fields: readonly string[] = CHAT_FIELDS): string | undefined {
  const bytes = Buffer.from(body);
  const scan = scanTopLevel(bytes, new SoughtNames(fields));
  const found = scan && editOutputLimit(scan, fields, 64);
  return found && `${found.field} ${spliceBytes(bytes, found.edits).toString()}`;
}

it.each([
  [
    "the field that the client used",
    '{"max_tokens": 500 ,"n":1}',
    'max_tokens {"max_tokens": 64 ,"n":1}',
  ],
  ["one that is null", '{"max_tokens":null}', 'max_tokens {"max_tokens":64}'],
  ["one whose name is escaped", '{"max\\u005ftokens":9}', 'max_tokens {"max\\u005ftokens":64}'],
  [
    "both, where both are there",
    '{"max_tokens":9,"max_completion_tokens":8}',
    'max_tokens {"max_tokens":64,"max_completion_tokens":64}',
  ],
  [
    "the first, where there is none",
    '{"n":1}',
    'max_completion_tokens {"n":1,"max_completion_tokens":64}',
  ],
  ["the first of an empty body", "{}", 'max_completion_tokens {"max_completion_tokens":64}'],
])("sets %s", (_, body, expected) => {
  expect(edited(body)).toBe(expected);
});

it("sets none where the endpoint has none, and none in what is no object", () => {
  expect(edited("{}", [])).toBeUndefined();
  expect(edited("[1]")).toBeUndefined();
});
