import type { Answer, Call } from "./endpoint.ts";

/** Names worth offering in a list. The simulator answers to every name, so that an app runs unchanged. */
const MODELS = [
  "gpt-4.1",
  "gpt-4.1-mini",
  "gpt-4o",
  "gpt-4o-mini",
  "gpt-5",
  "gpt-5-mini",
  "text-embedding-3-large",
  "text-embedding-3-small",
  "whisper-1",
] as const;
/** 1 January 2025: a model's `created` is not the time of the call. */
const CREATED = 1_735_689_600;

const model = (id: string): object => ({
  id,
  object: "model",
  created: CREATED,
  owned_by: "simulator",
});

const PREFIX = "/v1/models/";

/** `GET /v1/models` and `GET /v1/models/:id`; undefined for another path. */
export function answerModels({ path }: Pick<Call, "path">): Answer | undefined {
  if (path === "/v1/models") {
    const body = { object: "list", data: MODELS.map(model) };
    return { kind: "json", body, outputTokens: 0 };
  }
  if (!path.startsWith(PREFIX) || path === PREFIX) return undefined;
  return { kind: "json", body: model(path.slice(PREFIX.length)), outputTokens: 0 };
}
