import { expect, test } from "vitest";
import { openaiCompatibleProvider } from "./openai-compatible-provider.ts";

test("sends the secret and nothing that only OpenAI understands", () => {
  const headers = openaiCompatibleProvider.authHeaders({
    secret: "local",
    organizationId: "org-1",
    projectId: "proj_1",
  });
  expect(headers).toEqual([["authorization", "Bearer local"]]);
});

test("has no base URL of its own: an account must name one", () => {
  expect(openaiCompatibleProvider.defaultBaseUrl).toBeNull();
});
