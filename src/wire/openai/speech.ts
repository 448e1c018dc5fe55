import { unbounded, type CallBound } from "../../core/budgets/call-bound.ts";
import type { Quantities } from "../../core/usage/quantities.ts";
import { readNumber } from "../bounds/read-token-bound.ts";
import { SoughtNames } from "../json/sought-names.ts";
import { scanTopLevel } from "../json/top-level-scanner.ts";
import { asName } from "./fields.ts";
import {
  NO_FACTS,
  NO_TEXT_READER,
  type BoundRequest,
  type JsonObject,
  type Operation,
  type ResponseFacts,
} from "./operation.ts";
import { RESPONSE_USAGE, readUsage } from "./read-usage.ts";

/**
 * What a model that is priced in tokens makes of a text, where nothing is reported. OpenAI's pricing page estimates
 * gpt-4o-mini-tts at $0.015 a minute and asks $12 a million audio tokens: 1,250 tokens a minute. It asks the same $0.015
 * for 1,000 characters of tts-1, which is about a minute of speech.
 */
const AUDIO_TOKENS_PER_CHARACTER = 1.25;
const CHARACTERS_PER_TEXT_TOKEN = 4;

/**
 * Text to speech. The answer is audio, which says nothing of usage, or events (`stream_format: "sse"`) whose last one,
 * `speech.audio.done`, has tokens. Older models are charged by the characters of `input`. Sources: `SpeechCreateParams` of
 * OpenAI's API, and its reference for the events.
 */
export const speech: Operation = {
  ...NO_TEXT_READER,
  name: "audio.speech",
  method: "POST",
  path: "/v1/audio/speech",
  requestKind: "json",
  answerKind: "mixed",
  charges: true,
  unreported: "unknown",
  readBound,
  needsIncludeUsage: false,
  responseFields: ["model", "usage"],
  readResponse: readFacts,
  readStreamEvent: readFacts,
  isUsageOnlyEvent: () => false,
  completeFacts,
};

const SPEED = new SoughtNames(["speed"]);
/** Slower than any that is taken. */
const MIN_SPEED = 0.1;

/** All bytes of the body count as characters to be spoken: a character is one at least. */
function readBound({ bytes }: BoundRequest): CallBound {
  const scan = bytes === null ? undefined : scanTopLevel(bytes, SPEED);
  if (bytes === null || scan === undefined) return unbounded("its body is not one JSON object");
  const speed = readNumber(scan, "speed") ?? 1;
  if (scan.duplicate !== undefined || speed < MIN_SPEED) {
    return unbounded('its "speed" is none that Keyward can reckon with');
  }
  return { kind: "speech", characters: bytes.length, speed: Math.min(speed, 1) };
}

function readFacts(body: JsonObject): ResponseFacts {
  const usage = readUsage(body["usage"], RESPONSE_USAGE);
  return {
    ...NO_FACTS,
    servedModel: asName(body["model"]),
    quantities: usage === null ? null : asSpoken(usage),
  };
}

/** The tokens are not divided in the report; what is spoken is audio. */
function asSpoken({ output = 0, audioOutput = 0, ...rest }: Quantities): Quantities {
  return { ...rest, audioOutput: output + audioOutput };
}

function completeFacts(facts: ResponseFacts, request: JsonObject): ResponseFacts {
  if (facts.quantities !== null) return facts;
  const input = request["input"];
  if (typeof input !== "string") return facts;
  const characters = countCharacters(input);
  if (!isPricedInTokens(facts.servedModel ?? asName(request["model"]))) {
    return { ...facts, quantities: { inputCharacters: characters }, isEstimate: true };
  }
  const instructions = request["instructions"];
  const instructed = typeof instructions === "string" ? countCharacters(instructions) : 0;
  return {
    ...facts,
    quantities: {
      input: Math.ceil((characters + instructed) / CHARACTERS_PER_TEXT_TOKEN),
      audioOutput: Math.ceil(characters * AUDIO_TOKENS_PER_CHARACTER),
    },
    isEstimate: true,
  };
}

/** OpenAI's GPT models speak by the token; tts-1, and what other providers offer, by the character. */
function isPricedInTokens(model: string | null): boolean {
  return model !== null && /^gpt-/i.test(model);
}

/** Code points, as a person would count most writing; how the providers count is not published. */
function countCharacters(text: string): number {
  return text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);
}
