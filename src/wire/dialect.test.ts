import { expect, test } from "vitest";
import { dialectOf } from "./dialect.ts";

test.each([
  ["/v1/messages", {}, "anthropic"],
  ["/v1/messages/count_tokens", {}, "anthropic"],
  ["/v1/Messages/batches/b/results", {}, "anthropic"],
  ["/v1/complete", {}, "anthropic"],
  ["/v1/models", { "anthropic-version": "2023-06-01" }, "anthropic"],
  ["/v1/models", {}, "openai"],
  ["/v1/completions", {}, "openai"],
  ["/v1/messagesx", {}, "openai"],
  ["/v1/threads/t/messages", {}, "openai"],
])("%s with %j is a call in the dialect of %s", (path, headers, dialect) => {
  expect(dialectOf(path, headers)).toBe(dialect);
});
