import { expect, it } from "vitest";
import { isListedEndpoint, nearestEndpoint } from "./listed-endpoints.ts";

it("knows endpoints, their beginnings and what is below them", () => {
  const listed = [
    "chat/completions",
    "chat",
    "audio",
    "files",
    "messages",
    "responses/resp_1/cancel",
  ];
  expect(listed.filter((path) => !isListedEndpoint(path))).toEqual([]);
  const unknown = ["nonsense/path", "chat/completion", "chatcompletions", "embedding", "v2"];
  expect(unknown.filter((path) => isListedEndpoint(path))).toEqual([]);
});

it("says which was most likely meant", () => {
  expect(nearestEndpoint("chat/completion")).toBe("chat/completions");
  expect(nearestEndpoint("embedding")).toBe("embeddings");
  expect(nearestEndpoint("nonsense/path")).toBeUndefined();
});
