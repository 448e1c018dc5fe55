import { expect, it } from "vitest";
import { encodingOf } from "./encoding-of.ts";

it.each([
  "gpt-4",
  "gpt-4-0613",
  "gpt-4-32k",
  "gpt-4-turbo-2024-04-09",
  "gpt-3.5-turbo",
  "gpt-35-turbo-16k",
  "ft:gpt-3.5-turbo-0125:acme::1",
  "openai/gpt-4",
  "text-embedding-3-small",
])("counts %s in cl100k_base", (model) => {
  expect(encodingOf(model)).toBe("cl100k_base");
});

it.each([
  "gpt-4o",
  "gpt-4o-mini",
  "gpt-4.1",
  "gpt-4-1-mini",
  "gpt-4.5-preview",
  "gpt-5",
  "gpt-6-sol",
  "o1",
  "chatgpt-4o-latest",
  "ft:gpt-4o-2024-08-06:acme::1",
  "claude-sonnet-4",
  "",
  null,
])("counts %s in o200k_base", (model) => {
  expect(encodingOf(model)).toBe("o200k_base");
});
