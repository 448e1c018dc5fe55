import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findOpenaiKey, type OpenaiKeySearch } from "./import-openai-key.ts";

const keyOf = (letter: string): string => ["sk", "proj", letter.repeat(24)].join("-");
const [A, B, C] = [keyOf("a"), keyOf("b"), keyOf("c")];
const GATEWAY_KEY = ["kw", "dev", "a".repeat(49)].join("_");

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "keyward-import-"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

function search(
  env: Record<string, string>,
  files: Record<string, string> = {},
  port = 4141,
): OpenaiKeySearch {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  return findOpenaiKey({ env, cwd, own: { host: "127.0.0.1", port } });
}

test("looks in the process environment, then .env.local, then .env, and says where it found the key", () => {
  const files = {
    ".env.local": `OPENAI_API_KEY="${B}"\n`,
    ".env": `export OPENAI_API_KEY=${C} # x`,
  };
  expect(search({ OPENAI_API_KEY: A }, files).found).toMatchObject({
    secret: A,
    where: "the process environment",
  });
  expect(search({}, files).found).toMatchObject({ secret: B, where: ".env.local" });
  rmSync(join(cwd, ".env.local"));
  expect(search({}).found).toEqual({ secret: C, where: ".env", baseUrl: null, baseUrlWhere: null });
  rmSync(join(cwd, ".env"));
  expect(search({})).toEqual({ found: undefined, skipped: [] });
});

test("passes over the app's own line for Keyward and takes the provider key behind it", () => {
  const result = search(
    { OPENAI_BASE_URL: "http://localhost:4141/v1" },
    {
      ".env.local": `OPENAI_API_KEY=${GATEWAY_KEY}\nOPENAI_BASE_URL=http://127.0.0.1:4141/v1/`,
      ".env": `OPENAI_API_KEY=${A}\nOPENAI_BASE_URL=https://llm.example.com/v1/`,
    },
  );
  expect(result.found).toEqual({
    secret: A,
    where: ".env",
    baseUrl: "https://llm.example.com/v1",
    baseUrlWhere: ".env",
  });
  expect(result.skipped).toHaveLength(3);
  expect(JSON.stringify(result.skipped)).not.toContain(GATEWAY_KEY);
});

test("another server on this machine is no Keyward", () => {
  const env = { OPENAI_API_KEY: "ollama", OPENAI_BASE_URL: "http://127.0.0.1:11434/v1" };
  expect(search(env).found).toMatchObject({
    secret: "ollama",
    baseUrl: "http://127.0.0.1:11434/v1",
  });
});

test.each([
  "",
  "  ",
  "sk-...",
  "sk-xxxxxxxx",
  "your-api-key",
  "<key>",
  "${KEY}",
  "sk-your-key-here",
])("%j is no key", (value) => {
  expect(search({ OPENAI_API_KEY: value }).found).toBeUndefined();
});

test("a file that cannot be read is named, and does not stop the search", () => {
  mkdirSync(join(cwd, ".env.local"));
  const result = search({}, { ".env": `OPENAI_API_KEY=${A}` });
  expect(result.skipped).toEqual([{ where: ".env.local", reason: "cannot be read (EISDIR)" }]);
  expect(result.found?.secret).toBe(A);
});

test("a base URL that is none is named and left out", () => {
  const result = search({ OPENAI_API_KEY: A, OPENAI_BASE_URL: "not a url" });
  expect(result.found?.baseUrl).toBeNull();
  expect(result.skipped).toEqual([
    { where: "the process environment", reason: "OPENAI_BASE_URL is not a URL" },
  ]);
});
