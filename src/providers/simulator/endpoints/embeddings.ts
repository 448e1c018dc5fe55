import { z } from "zod";
import { SeededRandom } from "../content/seeded-random.ts";
import { countTokens } from "../content/text-tokens.ts";
import { readRequest, type JsonEndpoint } from "../endpoint.ts";

const MAX_INPUTS = 2048;
const MAX_DIMENSIONS = 4096;
const DEFAULT_DIMENSIONS = 1536;
const DIMENSIONS_BY_MODEL: ReadonlyMap<string, number> = new Map([
  ["text-embedding-3-large", 3072],
]);

const tokenList = z.array(z.int().min(0)).min(1);
const requestSchema = z.looseObject({
  model: z.string().min(1),
  input: z.union([
    z.string().min(1),
    z.array(z.string().min(1)).min(1).max(MAX_INPUTS),
    tokenList,
    z.array(tokenList).min(1).max(MAX_INPUTS),
  ]),
  dimensions: z.int().min(1).max(MAX_DIMENSIONS).nullish(),
  encoding_format: z.enum(["float", "base64"]).nullish(),
});

type Input = string | readonly number[];

/**
 * `POST /v1/embeddings`: vectors of length 1, the same for the same text and model. They carry no meaning: texts that
 * are alike are not near each other. Source: the embedding object of OpenAI's API reference.
 */
export const embeddings: JsonEndpoint = {
  takes: "json",
  method: "POST",
  path: "/v1/embeddings",
  answer(body, { seed }) {
    const read = readRequest(requestSchema, body);
    if ("refusal" in read) return read.refusal;
    const { model, input, encoding_format: format } = read.request;
    const dimensions =
      read.request.dimensions ?? DIMENSIONS_BY_MODEL.get(model) ?? DEFAULT_DIMENSIONS;
    const inputs = inputsOf(input);
    const encode = format === "base64" ? toBase64 : (vector: Float32Array) => [...vector];
    return {
      kind: "pieces",
      contentType: "application/json",
      pieces: pieces(model, inputs, (one) => encode(vectorOf(`${seed}${model}`, one, dimensions))),
    };
  },
};

function inputsOf(input: z.infer<typeof requestSchema>["input"]): readonly Input[] {
  if (typeof input === "string") return [input];
  if (typeof input[0] === "number") return [input as number[]];
  return input as readonly Input[];
}

function* pieces(
  model: string,
  inputs: readonly Input[],
  embed: (input: Input) => string | number[],
): Generator<string> {
  let tokens = 0;
  yield `{"object":"list","data":[`;
  for (const [index, input] of inputs.entries()) {
    tokens += typeof input === "string" ? countTokens(input) : input.length;
    const item = { object: "embedding", index, embedding: embed(input) };
    yield `${index === 0 ? "" : ","}${JSON.stringify(item)}`;
  }
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  yield `],"model":${JSON.stringify(model)},"usage":${JSON.stringify(usage)}}`;
}

function vectorOf(seed: string, input: Input, dimensions: number): Float32Array {
  const random = new SeededRandom(`${seed}\n${JSON.stringify(input)}`);
  const vector = new Float32Array(dimensions);
  let squares = 0;
  for (let i = 0; i < dimensions; i += 1) {
    const value = random.next() / 2 ** 31 - 1;
    vector[i] = value;
    squares += value * value;
  }
  const length = Math.sqrt(squares) || 1;
  return vector.map((value) => value / length);
}

/** Little-endian float32, as OpenAI's client decodes it. */
function toBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [i, value] of vector.entries()) bytes.writeFloatLE(value, i * 4);
  return bytes.toString("base64");
}
