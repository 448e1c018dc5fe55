import { unbounded } from "../../core/budgets/call-bound.ts";
import type { Quantities } from "../../core/usage/quantities.ts";
import { asName, asObject } from "./fields.ts";
import {
  NO_FACTS,
  NO_TEXT_READER,
  type JsonObject,
  type Operation,
  type ResponseFacts,
} from "./operation.ts";
import { readUsage, type UsageShape } from "./read-usage.ts";

/** `Transcription.Tokens` of OpenAI's API: the details' names are in the singular here. */
const TRANSCRIPTION_USAGE: UsageShape = {
  inputTotal: "input_tokens",
  outputTotal: "output_tokens",
  inputDetails: "input_token_details",
  outputDetails: "output_token_details",
  hasOutput: true,
};

/** More than eleven days is no recording that anybody transcribes in one call. */
const MAX_SECONDS = 1_000_000;

/**
 * Speech to text. Source: `Transcription`, `TranscriptionVerbose`, `TranscriptionDiarized` and `TranscriptionTextDoneEvent`
 * of OpenAI's API. Usage is in tokens, or in seconds: `usage.seconds` is what is billed. Plain text, SRT and VTT say
 * nothing of usage, and neither does an answer without it: that is unknown.
 */
const transcriptions: Operation = {
  ...NO_TEXT_READER,
  name: "audio.transcriptions",
  method: "POST",
  path: "/v1/audio/transcriptions",
  requestKind: "form",
  answerKind: "mixed",
  charges: true,
  unreported: "unknown",
  readBound: ({ bytes, byteLength }) => {
    const length = bytes?.length ?? byteLength;
    return length === null
      ? unbounded("its client does not say how long its form is")
      : { kind: "recording", bytes: length };
  },
  needsIncludeUsage: false,
  responseFields: ["id", "model", "usage", "duration", "x_groq"],
  readResponse: readFacts,
  readStreamEvent: readFacts,
  isUsageOnlyEvent: () => false,
};

/** The same into English. Its published types have no `usage`: only the verbose answer tells the recording's length. */
const translations: Operation = {
  ...transcriptions,
  name: "audio.translations",
  path: "/v1/audio/translations",
};

export const AUDIO: readonly Operation[] = [transcriptions, translations];

function readFacts(body: JsonObject): ResponseFacts {
  const facts = {
    ...NO_FACTS,
    responseId: asName(body["id"]) ?? asName(asObject(body["x_groq"])?.["id"]),
    servedModel: asName(body["model"]),
  };
  const reported = readReported(body["usage"]);
  if (reported !== null) return { ...facts, quantities: reported };
  // The recording's own length, which `usage.seconds` rounds up; where nothing is reported it is the best that is known.
  const length = readSeconds(body["duration"]);
  // A recording without any length is one whose length is not known.
  if (length === null || length === 0) return facts;
  return { ...facts, quantities: { audioInputMs: Math.ceil(length) * 1000 }, isEstimate: true };
}

function readReported(value: unknown): Quantities | null {
  const usage = asObject(value);
  if (usage === undefined) return null;
  const seconds = readSeconds(usage["seconds"]);
  if (seconds !== null) return { audioInputMs: Math.round(seconds * 1000) };
  return readUsage(usage, TRANSCRIPTION_USAGE);
}

function readSeconds(value: unknown): number | null {
  // Groq, and OpenAI's older answers, write the duration as a text.
  const seconds = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  const isLength = typeof seconds === "number" && seconds >= 0 && seconds <= MAX_SECONDS;
  return isLength ? seconds : null;
}
