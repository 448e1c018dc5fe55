import { sampleJson } from "./sample-json.ts";
import { SeededRandom } from "./seeded-random.ts";
import { splitTokens } from "./text-tokens.ts";

const OPENING = ["This", " is", " a", " simulated", " answer:"] as const;
const WORDS = [
  ..."the river runs past quiet stones and a lantern hums while copper leaves turn slowly over".split(
    " ",
  ),
  ..."seven small boats carry letters to islands where gardeners count clouds before noon".split(
    " ",
  ),
  ..."every gate opens once the morning bell has sounded twice near an old stone bridge".split(" "),
];
const SHORTEST = 16;
const LONGEST = 64;

export interface AnswerRequest {
  readonly seed: string;
  /** The caller's limit; null = none. */
  readonly maxTokens: number | null;
  /** How long a text in words is to be; null = from the seed. A JSON answer is as long as its schema makes it. */
  readonly wantedTokens: number | null;
  /** The answer is a JSON text that fits this schema; null = words. */
  readonly schema: Readonly<Record<string, unknown>> | null;
}

export interface MadeUpAnswer {
  readonly tokens: readonly string[];
  /** Whether `maxTokens` ended it. */
  readonly isCut: boolean;
}

/** The text of an answer, in tokens: the same request gives the same tokens, and a limit only shortens them. */
export function makeUpAnswer({
  seed,
  maxTokens,
  wantedTokens,
  schema,
}: AnswerRequest): MadeUpAnswer {
  if (schema !== null) {
    const tokens = splitTokens(JSON.stringify(sampleJson(schema, seed), null, 1));
    return cut(tokens, maxTokens);
  }
  const random = new SeededRandom(seed);
  const length = wantedTokens ?? SHORTEST + random.below(LONGEST - SHORTEST + 1);
  const end = maxTokens === null ? length : Math.min(length, maxTokens);
  const tokens: string[] = [];
  for (let i = 0; i < end; i += 1) {
    const stop = i === length - 1 ? "." : "";
    tokens.push(OPENING[i] ?? ` ${WORDS[random.below(WORDS.length)] ?? ""}${stop}`);
  }
  return { tokens, isCut: end < length };
}

function cut(tokens: readonly string[], maxTokens: number | null): MadeUpAnswer {
  if (maxTokens === null || tokens.length <= maxTokens) return { tokens, isCut: false };
  return { tokens: tokens.slice(0, maxTokens), isCut: true };
}
