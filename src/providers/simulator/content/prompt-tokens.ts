import { countTokens } from "./text-tokens.ts";

/** What an image, a sound or a file in a prompt counts as. */
const TOKENS_PER_ATTACHMENT = 85;

/**
 * Tokens of a prompt in any shape that chat, responses and messages accept: a text, or nested lists and objects whose `content`,
 * `text`, `output` and `arguments` hold texts. A content part of another kind counts as an attachment. Roles, names
 * and framing count nothing.
 */
export function countPromptTokens(prompt: unknown): number {
  let count = 0;
  const pending: unknown[] = [prompt];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value === "string") {
      count += countTokens(value);
    } else if (Array.isArray(value)) {
      // Not `push(...value)`: a list can be longer than a call has room for arguments.
      for (const item of value) pending.push(item);
    } else if (typeof value === "object" && value !== null) {
      const item = value as Readonly<Record<string, unknown>>;
      if (isAttachment(item)) count += TOKENS_PER_ATTACHMENT;
      for (const name of TEXT_FIELDS) pending.push(item[name]);
    }
  }
  return count;
}

const TEXT_FIELDS = ["content", "text", "output", "arguments", "refusal", "tool_calls", "function"];
/** OpenAI's kinds of content part, and Anthropic's. */
const ATTACHMENT_TYPES = new Set([
  "file",
  "image_url",
  "input_audio",
  "input_file",
  "input_image",
  "document",
  "image",
]);

function isAttachment(item: Readonly<Record<string, unknown>>): boolean {
  return typeof item["type"] === "string" && ATTACHMENT_TYPES.has(item["type"]);
}
