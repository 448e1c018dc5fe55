import { makeUpAnswer, type MadeUpAnswer } from "../content/made-up-answer.ts";
import { spokenSegments, toSrt, toVtt, type SpokenSegment } from "../content/subtitles.ts";
import {
  dataEvent,
  refuse,
  type Answer,
  type Call,
  type FormEndpoint,
  type StreamStep,
} from "../endpoint.ts";
import type { MultipartForm } from "../http/multipart-reader.ts";
import { fileOf, missing } from "./form-parts.ts";

/** What the simulator takes a second of sound to be, in bytes and in tokens. */
const BYTES_PER_SECOND = 16_000;
const TOKENS_PER_SECOND = 10;

interface Recording {
  readonly model: string;
  readonly seconds: number;
  readonly answer: MadeUpAnswer;
}

/**
 * `POST /v1/audio/transcriptions`. The text comes from the file's hash, its length from the file's bytes. Sources: the
 * transcription objects and the events of OpenAI's API reference.
 */
const transcriptions: FormEndpoint = {
  takes: "form",
  method: "POST",
  path: "/v1/audio/transcriptions",
  answer(form, call) {
    const recording = readRecording(form, call);
    if ("kind" in recording) return recording;
    const usage = usageOf(recording);
    if (form.fields.get("stream") === "true" && !isWhisper(recording.model)) {
      return { kind: "stream", steps: streamSteps(recording, usage) };
    }
    return answerIn(form, recording, { task: "transcribe", fields: { usage } });
  },
};

/** `POST /v1/audio/translations`: the same, and its answers say nothing of usage. */
const translations: FormEndpoint = {
  takes: "form",
  method: "POST",
  path: "/v1/audio/translations",
  answer(form, call) {
    const recording = readRecording(form, call);
    return "kind" in recording
      ? recording
      : answerIn(form, recording, { task: "translate", fields: {} });
  },
};

export const transcriptionEndpoints: readonly FormEndpoint[] = [transcriptions, translations];

function readRecording(
  form: MultipartForm,
  call: Call,
): Recording | Extract<Answer, { kind: "refusal" }> {
  const file = fileOf(form, "file");
  if (file === undefined) return missing("file");
  const model = form.fields.get("model");
  if (model === undefined || model === "") return refuse(400, "you must provide a model parameter");
  const answer = makeUpAnswer({
    seed: `${call.seed}${model}/${file.sha256}`,
    maxTokens: null,
    wantedTokens: call.outputTokens,
    schema: null,
  });
  return { model, answer, seconds: file.bytes / BYTES_PER_SECOND };
}

interface Task {
  readonly task: "transcribe" | "translate";
  /** What the JSON answers have besides their text. */
  readonly fields: object;
}

function answerIn(form: MultipartForm, recording: Recording, { task, fields }: Task): Answer {
  const { tokens } = recording.answer;
  const text = tokens.join("");
  const segments = spokenSegments(tokens, recording.seconds);
  const format = form.fields.get("response_format") ?? "json";
  switch (format) {
    case "json":
      return { kind: "json", body: { text, ...fields }, outputTokens: tokens.length };
    case "text":
      return plain(`${text}\n`);
    case "srt":
      return plain(toSrt(segments));
    case "vtt":
      return plain(toVtt(segments));
    case "verbose_json": {
      const granularities = form.fields.get("timestamp_granularities[]")?.split(",") ?? [];
      const body = {
        task,
        language: "english",
        duration: recording.seconds,
        text,
        ...(granularities.includes("word") ? { words: wordsOf(segments) } : {}),
        segments: segments.map(segmentObject),
        ...fields,
      };
      return { kind: "json", body, outputTokens: tokens.length };
    }
    default: {
      const words = "'json', 'text', 'srt', 'vtt' and 'verbose_json'";
      const details = { code: "invalid_value", param: "response_format" };
      return refuse(400, `The simulator answers in ${words}, not in '${format}'.`, details);
    }
  }
}

function plain(text: string): Answer {
  const contentLength = Buffer.byteLength(text);
  return {
    kind: "pieces",
    contentType: "text/plain; charset=utf-8",
    contentLength,
    pieces: [text],
  };
}

function segmentObject({ text, startSeconds, endSeconds, words }: SpokenSegment, id: number) {
  return {
    id,
    seek: 0,
    start: startSeconds,
    end: endSeconds,
    text,
    tokens: words.map((_, index) => index),
    temperature: 0,
    avg_logprob: -0.25,
    compression_ratio: 1,
    no_speech_prob: 0.01,
  };
}

function wordsOf(segments: readonly SpokenSegment[]): object[] {
  return segments.flatMap(({ words }) =>
    words.map(({ word, startSeconds, endSeconds }) => ({
      word,
      start: startSeconds,
      end: endSeconds,
    })),
  );
}

function* streamSteps({ answer }: Recording, usage: object): Generator<StreamStep> {
  for (const delta of answer.tokens) {
    yield { text: dataEvent({ type: "transcript.text.delta", delta }), isToken: true };
  }
  const text = answer.tokens.join("");
  yield { text: dataEvent({ type: "transcript.text.done", text, usage }), isToken: false };
}

/** It streams nothing, and is charged by the second; the models after it by the token. */
function isWhisper(model: string): boolean {
  return model.startsWith("whisper");
}

function usageOf({ model, seconds: exactSeconds, answer }: Recording): object {
  const seconds = Math.ceil(exactSeconds);
  if (isWhisper(model)) return { type: "duration", seconds };
  const inputTokens = seconds * TOKENS_PER_SECOND;
  return {
    type: "tokens",
    input_tokens: inputTokens,
    input_token_details: { text_tokens: 0, audio_tokens: inputTokens },
    output_tokens: answer.tokens.length,
    total_tokens: inputTokens + answer.tokens.length,
  };
}
