import { expect, test } from "vitest";
import { dialectOf } from "./dialect.ts";

test.each([
  ["/v1/messages", false, "anthropic"],
  ["/v1/messages/count_tokens", false, "anthropic"],
  ["/v1/Messages/batches/b/results", false, "anthropic"],
  ["/v1/complete", false, "anthropic"],
  ["/v1/models", true, "anthropic"],
  ["/v1/models", false, "openai"],
  ["/v1/completions", false, "openai"],
  ["/v1/messagesx", false, "openai"],
  ["/v1/threads/t/messages", false, "openai"],
])(
  "%s (with the version header: %s) is a call in the dialect of %s",
  (path, hasVersion, dialect) => {
    expect(dialectOf(path, hasVersion)).toBe(dialect);
  },
);
