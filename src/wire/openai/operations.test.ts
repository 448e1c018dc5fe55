import { describe, expect, it } from "vitest";
import { findOperation } from "../find-operation.ts";
import { OPERATIONS } from "./operations.ts";
import { isListed } from "./unlisted.ts";

describe("findOperation", () => {
  it("finds each operation by its path", () => {
    for (const operation of OPERATIONS) {
      const path = operation.path.replace(/\{\w+\}/g, "abc_123");
      expect(findOperation(operation.method, path)).toBe(operation);
    }
  });

  it("gives no two operations one name, or one method and path", () => {
    const names = OPERATIONS.map(({ name }) => name);
    const places = OPERATIONS.map(
      ({ method, path }) => `${method} ${path.replace(/\{\w+\}/g, "{}")}`,
    );
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(places).size).toBe(places.length);
  });

  it.each([
    ["GET", "/v1/responses/resp_1", "responses.retrieve"],
    ["POST", "/v1/responses/resp_1/cancel", "responses.cancel"],
    ["DELETE", "/v1/responses/resp_1", "responses.delete"],
    ["GET", "/v1/chat/completions/chatcmpl-1", "chat.completions.retrieve"],
    ["POST", "/v1/chat/completions/chatcmpl-1", "chat.completions.update"],
    ["POST", "/V1/Responses//Resp_1/cancel/", "responses.cancel"],
  ])(
    "does not charge %s %s, which repeats what an earlier call has consumed",
    (method, path, name) => {
      expect(findOperation(method, path)).toMatchObject({ name, charges: false });
    },
  );

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
    ["POST", "/v1/responses/resp_1/unheard/of", true],
    ["POST", "/v1/something/new", true],
    ["POST", "/v1/chat/completions%", true],
    ["POST", "/", true],
    ["POST", "", true],
    ["POST", `/v1/chat/completions${"/".repeat(300)}`, true],
    ["PUT", "/v1/responses", true],
    ["GET", "/v1/chat/completions", false],
    ["DELETE", "/v1/files/file_1", false],
    ["GET", "/v1/files/file_1/content", false],
  ])("lists no operation for %s %s", (method, path, charges) => {
    const operation = findOperation(method, path);
    expect(operation).toMatchObject({ name: "other", charges });
    expect(isListed(operation)).toBe(false);
  });
});
