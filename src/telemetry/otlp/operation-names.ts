/**
 * The conventions' names of what Keyward knows by other ones. An operation that they have no word for keeps its own,
 * as they allow. Source: OpenTelemetry semantic conventions for generative AI, `gen_ai.operation.name`.
 */
const CONVENTIONAL: Readonly<Record<string, string>> = {
  "chat.completions": "chat",
  responses: "chat",
  messages: "chat",
  completions: "text_completion",
  embeddings: "embeddings",
};

export function conventionalOperation(operation: string): string {
  return CONVENTIONAL[operation] ?? operation;
}
