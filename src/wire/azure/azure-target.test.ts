import { expect, test } from "vitest";
import { parseAzureTarget } from "./azure-target.ts";

test.each([
  [
    "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
    "/v1/chat/completions",
    { apiVersion: "2024-10-21", deployment: "gpt-4o" },
  ],
  [
    "/v1/deployments/my%20model/embeddings?api-version=2025-04-01-preview",
    "/v1/embeddings",
    { apiVersion: "2025-04-01-preview", deployment: "my model" },
  ],
  [
    "/openai/deployments/a/images/edits?x=1&api-version=preview&y=2",
    "/v1/images/edits?x=1&y=2",
    { apiVersion: "preview", deployment: "a" },
  ],
  [
    "/openai/responses/resp_1?api-version=2025-03-01-preview",
    "/v1/responses/resp_1",
    { apiVersion: "2025-03-01-preview", deployment: null },
  ],
  ["/openai/models", "/v1/models", { apiVersion: null, deployment: null }],
  [
    "/openai/%64eployments/a/chat/completions?api-version=2024-10-21",
    "/v1/chat/completions",
    { apiVersion: "2024-10-21", deployment: "a" },
  ],
  [
    "/v1/Deployments/a/chat/completions",
    "/v1/chat/completions",
    { apiVersion: null, deployment: "a" },
  ],
  [
    "/openai/v1/deployments/a/chat/completions",
    "/v1/chat/completions",
    { apiVersion: null, deployment: "a" },
  ],
  ["/openai/%76%31/chat/completions", "/v1/chat/completions", null],
  ["/openai/deployments?x=1", "/v1/deployments?x=1", { apiVersion: null, deployment: null }],
  [
    "/openai/v1/chat/completions?api-version=preview",
    "/v1/chat/completions?api-version=preview",
    null,
  ],
])("%s is OpenAI's %s", (called, target, dated) => {
  expect(parseAzureTarget(called)).toEqual({ target, dated });
});

test.each([
  "/v1/chat/completions",
  "/v1/models?api-version=2024-10-21",
  "/v1/files/%64eployments/content",
  "/v1/deployments",
  "/openai",
  "/openaiv1/models",
  "/openai/models?api-version=%0d%0a",
  "/openai/models?api-version=a/../b",
  "/openai/deployments/%zz/chat/completions",
])("%s is no path of Azure's", (called) => {
  expect(parseAzureTarget(called)).toBeUndefined();
});
