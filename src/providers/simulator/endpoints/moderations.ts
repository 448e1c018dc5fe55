import { z } from "zod";
import { SeededRandom } from "../content/seeded-random.ts";
import { readRequest, type JsonEndpoint } from "../endpoint.ts";

const MAX_INPUTS = 1000;
const DEFAULT_MODEL = "omni-moderation-latest";

const partSchema = z.looseObject({ type: z.string(), text: z.string().optional() });
const requestSchema = z.looseObject({
  model: z.string().min(1).nullish(),
  input: z.union([
    z.string(),
    z.array(z.string()).min(1).max(MAX_INPUTS),
    z.array(partSchema).min(1).max(MAX_INPUTS),
  ]),
});
type Input = z.infer<typeof requestSchema>["input"];

const CATEGORIES = [
  "harassment",
  "harassment/threatening",
  "hate",
  "hate/threatening",
  "illicit",
  "illicit/violent",
  "self-harm",
  "self-harm/instructions",
  "self-harm/intent",
  "sexual",
  "sexual/minors",
  "violence",
  "violence/graphic",
] as const;
/** Those that pictures are looked at for as well. Source: "Moderation" of OpenAI's API documentation. */
const CATEGORIES_OF_IMAGES: ReadonlySet<string> = new Set([
  "self-harm",
  "self-harm/instructions",
  "self-harm/intent",
  "sexual",
  "violence",
  "violence/graphic",
]);

/**
 * `POST /v1/moderations`. A text that has a category's name in square brackets, `[violence]`, is flagged for it; nothing
 * else is. Source: the moderation object of OpenAI's API reference.
 */
export const moderations: JsonEndpoint = {
  takes: "json",
  method: "POST",
  path: "/v1/moderations",
  answer(body, call) {
    const read = readRequest(requestSchema, body);
    if ("refusal" in read) return read.refusal;
    const { input, model } = read.request;
    const results = subjectsOf(input).map((subject) => moderate(subject, call.seed));
    const answer = { id: call.createId("modr-"), model: model ?? DEFAULT_MODEL, results };
    return { kind: "json", body: answer, outputTokens: 0 };
  },
};

interface Subject {
  readonly text: string;
  readonly hasImage: boolean;
}

/** A text each; the parts of one message are one subject. */
function subjectsOf(input: Input): readonly Subject[] {
  if (typeof input === "string") return [{ text: input, hasImage: false }];
  const texts = input.filter((part) => typeof part === "string");
  const parts = input.filter((part) => typeof part === "object");
  if (parts.length === 0) return texts.map((text) => ({ text, hasImage: false }));
  const text = parts.map((part) => part.text ?? "").join("\n");
  return [{ text, hasImage: parts.some(({ type }) => type === "image_url") }];
}

function moderate({ text, hasImage }: Subject, seed: string): object {
  const random = new SeededRandom(`${seed}${text}`);
  const flags = CATEGORIES.map((name) => [name, text.includes(`[${name}]`)] as const);
  return {
    flagged: flags.some(([, isFlagged]) => isFlagged),
    categories: Object.fromEntries(flags),
    category_scores: Object.fromEntries(
      flags.map(([name, isFlagged]) => [name, isFlagged ? 0.98 : random.below(1000) / 100_000]),
    ),
    category_applied_input_types: Object.fromEntries(
      CATEGORIES.map((name) => [
        name,
        hasImage && CATEGORIES_OF_IMAGES.has(name) ? ["text", "image"] : ["text"],
      ]),
    ),
  };
}
