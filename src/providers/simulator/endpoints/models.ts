import type { BodilessEndpoint } from "../endpoint.ts";

/** Names worth offering in a list. The simulator answers to every name, so that an app runs unchanged. */
const OPENAI_MODELS = [
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
const ANTHROPIC_MODELS = ["claude-haiku-4-5", "claude-opus-4-6", "claude-sonnet-4-6"] as const;
/** 1 January 2025: a model's `created` is not the time of the call. */
const CREATED = 1_735_689_600;

const model = (id: string): object => ({
  id,
  object: "model",
  created: CREATED,
  owned_by: "simulator",
});

/** The same in the shape of Anthropic's `ModelInfo`. */
const anthropicModel = (id: string): object => ({
  id,
  type: "model",
  display_name: id,
  created_at: "2025-01-01T00:00:00Z",
});

/** `GET /v1/models` */
const listModels: BodilessEndpoint = {
  takes: "nothing",
  method: "GET",
  path: "/v1/models",
  answer: () => ({
    kind: "json",
    body: { object: "list", data: OPENAI_MODELS.map(model) },
    outputTokens: 0,
  }),
};

/** `GET /v1/models/:id`: there is a model of every name. */
const retrieveModel: BodilessEndpoint = {
  takes: "nothing",
  method: "GET",
  path: "/v1/models/:id",
  answer: ({ id }) => ({ kind: "json", body: model(id), outputTokens: 0 }),
};

/** Anthropic's `GET /v1/models` */
const listAnthropicModels: BodilessEndpoint = {
  takes: "nothing",
  method: "GET",
  dialect: "anthropic",
  path: "/v1/models",
  answer: () => ({
    kind: "json",
    body: {
      data: ANTHROPIC_MODELS.map(anthropicModel),
      first_id: ANTHROPIC_MODELS[0],
      last_id: ANTHROPIC_MODELS.at(-1),
      has_more: false,
    },
    outputTokens: 0,
  }),
};

/** Anthropic's `GET /v1/models/:id` */
const retrieveAnthropicModel: BodilessEndpoint = {
  takes: "nothing",
  method: "GET",
  dialect: "anthropic",
  path: "/v1/models/:id",
  answer: ({ id }) => ({ kind: "json", body: anthropicModel(id), outputTokens: 0 }),
};

export const modelEndpoints: readonly BodilessEndpoint[] = [
  listModels,
  retrieveModel,
  listAnthropicModels,
  retrieveAnthropicModel,
];
