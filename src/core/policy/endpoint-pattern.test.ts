import { describe, expect, it } from "vitest";
import { createEndpointSet, parseEndpointPattern } from "./endpoint-pattern.ts";

describe("an endpoint pattern", () => {
  it.each([
    ["chat/completions", "chat/completions"],
    ["/v1/chat/completions", "chat/completions"],
    ["v1/embeddings/", "embeddings"],
    [" @images ", "@images"],
  ])("takes %j", (text, pattern) => expect(parseEndpointPattern(text)).toBe(pattern));

  it.each([
    "",
    "/",
    "v1/",
    "*",
    "chat/*",
    "@everything",
    "../admin",
    "chat//completions",
    "Chat",
    "chat completions",
    "embeddings?x",
    "@constructor",
    "a".repeat(201),
  ])("refuses %j", (text) => expect(parseEndpointPattern(text)).toBeUndefined());
});

describe("a set of endpoints", () => {
  it("has the paths that it names and those under them, and none that only begins alike", () => {
    const set = createEndpointSet(["embeddings", "chat/completions"]);
    for (const path of [
      "/v1/embeddings",
      "/v1/chat/completions",
      "/v1/chat/completions/chatcmpl-1",
    ]) {
      expect([path, set?.has(path)]).toEqual([path, true]);
    }
    for (const path of [
      "/v1/embeddingsx",
      "/v1/chat",
      "/v1/models",
      "/v1",
      "/v1/",
      "/embeddings",
    ]) {
      expect([path, set?.has(path)]).toEqual([path, false]);
    }
  });

  it("has all of a group", () => {
    const set = createEndpointSet(["@text", "models"]);
    expect(set?.has("/v1/messages")).toBe(true);
    expect(set?.has("/v1/responses/resp_1/cancel")).toBe(true);
    expect(set?.has("/v1/models/gpt-4o")).toBe(true);
    expect(set?.has("/v1/images/generations")).toBe(false);
  });

  it("is none where nothing is named, and empty where the list is", () => {
    expect(createEndpointSet(null)).toBeNull();
    expect(createEndpointSet([])?.has("/v1/embeddings")).toBe(false);
  });
});
