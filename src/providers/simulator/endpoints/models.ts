import type { BodilessEndpoint } from "../endpoint.ts";

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

/** `GET /v1/models` */
export const listModels: BodilessEndpoint = {
  takes: "nothing",
  method: "GET",
  path: "/v1/models",
  answer: () => ({
    kind: "json",
    body: { object: "list", data: MODELS.map(model) },
    outputTokens: 0,
  }),
};

/** `GET /v1/models/:id`: there is a model of every name. */
export const retrieveModel: BodilessEndpoint = {
  takes: "nothing",
  method: "GET",
  path: "/v1/models/:id",
  answer: ({ id }) => ({ kind: "json", body: model(id), outputTokens: 0 }),
};
