import { expect, test } from "vitest";
import { openaiProvider } from "./openai-provider.ts";

const secret = ["sk", "proj", "a".repeat(24)].join("-");

test("authenticates with a bearer token alone when the account names no organization and no project", () => {
  expect(openaiProvider.authHeaders({ secret, organizationId: null, projectId: null })).toEqual([
    ["authorization", `Bearer ${secret}`],
  ]);
});

test("names the account's organization and project where they are set", () => {
  const headers = openaiProvider.authHeaders({
    secret,
    organizationId: "org-1",
    projectId: "proj_1",
  });
  expect(Object.fromEntries(headers)).toEqual({
    authorization: `Bearer ${secret}`,
    "openai-organization": "org-1",
    "openai-project": "proj_1",
  });
});

test("the base URL carries the version path and no trailing slash", () => {
  expect(openaiProvider.defaultBaseUrl).toMatch(/^https:\/\/.*\/v1$/);
});
