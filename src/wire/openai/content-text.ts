import { asArray, asObject, pushJson, pushText } from "./fields.ts";

/**
 * Appends the text of a message's content: a string, or a list of parts (`text`, `input_text`, `output_text`,
 * `refusal`, Mistral's `thinking`). Images, audio and files carry no text that could be counted here; what they
 * consume is known only to the provider, so an estimate leaves them out.
 */
export function pushContent(texts: string[], content: unknown): void {
  pushText(texts, content);
  for (const item of asArray(content)) {
    pushText(texts, item);
    const part = asObject(item);
    if (part === undefined) continue;
    pushText(texts, part["text"]);
    pushText(texts, part["refusal"]);
    pushText(texts, part["thinking"]);
    for (const thought of asArray(part["thinking"])) pushText(texts, asObject(thought)?.["text"]);
  }
}

/**
 * Appends what a chat message, or the delta of one, says: content, refusal, reasoning, the transcript of spoken audio,
 * names and arguments of tool calls. Servers name reasoning `reasoning_content` or `reasoning`, and some send both
 * with the same text: it counts once.
 */
export function pushMessage(texts: string[], value: unknown): void {
  const message = asObject(value);
  if (message === undefined) return;
  pushContent(texts, message["content"]);
  pushText(texts, message["refusal"]);
  pushText(texts, message["reasoning_content"] ?? message["reasoning"]);
  pushText(texts, asObject(message["audio"])?.["transcript"]);
  pushFunction(texts, message["function_call"]);
  for (const item of asArray(message["tool_calls"])) {
    const call = asObject(item);
    pushFunction(texts, call?.["function"]);
    pushFunction(texts, call?.["custom"]);
  }
}

/**
 * Appends the definitions of tools and of the answer's schema as JSON. Providers show them to the model in a terser
 * notation of their own, so this estimates a little high.
 */
export function pushDefinitions(texts: string[], definitions: readonly unknown[]): void {
  for (const definition of definitions) {
    if (Array.isArray(definition) && definition.length === 0) continue;
    pushJson(texts, definition);
  }
}

function pushFunction(texts: string[], value: unknown): void {
  const call = asObject(value);
  if (call === undefined) return;
  pushText(texts, call["name"]);
  pushText(texts, call["arguments"]);
  pushText(texts, call["input"]);
}
