import { asObject } from "./fields.ts";
import type { JsonObject } from "./operation.ts";

/**
 * Families whose models think in tokens that are charged as output and that a stream does not show. Sources: OpenAI's
 * guide to reasoning models, Google's to thinking, xAI's to reasoning, as of 2026-11.
 */
const THINKING_MODELS =
  /(?:^|[/:])(?:o[1-9](?:-|$)|gpt-[5-9](?![\w.]*-chat)|codex-|gemini-(?:2\.5|[3-9])|grok-(?:3-mini|[4-9]))/i;

/**
 * Whether an answer may have cost more than can be seen of it: by its model, or because the request asks for thought
 * (`reasoning_effort` and `reasoning` of OpenAI and OpenRouter, `thinking` of Anthropic), or can't be read.
 */
export function mayThinkUnseen(model: string | null, request: JsonObject | undefined): boolean {
  if (request === undefined) return true;
  if (model !== null && THINKING_MODELS.test(model)) return true;
  const { effort, max_tokens: budget, enabled } = asObject(request["reasoning"]) ?? {};
  const { type } = asObject(request["thinking"]) ?? {};
  return (
    isAsked(request["reasoning_effort"] ?? effort, "none") ||
    isAsked(type, "disabled") ||
    isAsked(budget, 0) ||
    enabled === true
  );
}

function isAsked(value: unknown, no: unknown): boolean {
  return value !== undefined && value !== null && value !== no;
}
