import { describe, expect, it } from "vitest";
import { OPERATIONS, findOperation } from "./operations.ts";

describe("findOperation", () => {
  it("finds each operation by its path", () => {
    expect(OPERATIONS.map(({ name, path }) => [name, path])).toEqual([
      ["chat.completions", "/v1/chat/completions"],
      ["responses", "/v1/responses"],
      ["completions", "/v1/completions"],
      ["embeddings", "/v1/embeddings"],
    ]);
    for (const operation of OPERATIONS) {
      expect(findOperation("POST", operation.path)).toBe(operation);
    }
  });

  it.each([
    "/v1/chat/completions/",
    "/v1//chat///completions",
    "/v1/chat/%63ompletions",
    "/v1/chat%2Fcompletions",
    "/v1/./chat/x/../completions",
    "/V1/Chat/Completions",
  ])("does not lose a call that spells the path %s", (path) => {
    expect(findOperation("POST", path)?.name).toBe("chat.completions");
  });

  it.each([
    ["GET", "/v1/chat/completions"],
    ["POST", "/v1/chat/completions/chatcmpl-1"],
    ["POST", "/v1/responses/resp_1/cancel"],
    ["POST", "/v1/audio/speech"],
    ["POST", "/v1/chat/completions%"],
    ["POST", "/"],
    ["POST", ""],
    ["POST", `/v1/chat/completions${"/".repeat(300)}`],
  ])("knows no operation for %s %s", (method, path) => {
    expect(findOperation(method, path)).toBeUndefined();
  });
});
