import { makeUpAnswer } from "../content/made-up-answer.ts";
import { refuse, type Answer, type FormEndpoint } from "../endpoint.ts";
import type { MultipartFile, MultipartForm } from "../http/multipart-reader.ts";

/** `POST /v1/files`. Source: the file object of OpenAI's API reference. The file itself is not kept. */
const files: FormEndpoint = {
  takes: "form",
  method: "POST",
  path: "/v1/files",
  answer(form, call) {
    const file = fileOf(form);
    if (file === undefined) return missing("file");
    const purpose = form.fields.get("purpose");
    if (purpose === undefined) return missing("purpose");
    const body = {
      id: call.createId("file-"),
      object: "file",
      bytes: file.bytes,
      created_at: call.createdAtSeconds,
      filename: file.filename,
      purpose,
      status: "processed",
    };
    return { kind: "json", body, outputTokens: 0 };
  },
};

/** What the simulator takes a second of sound to be, in bytes and in tokens. */
const BYTES_PER_SECOND = 16_000;
const TOKENS_PER_SECOND = 10;

/** `POST /v1/audio/transcriptions`. The text comes from the file's hash. Source: as above, transcription objects. */
const transcriptions: FormEndpoint = {
  takes: "form",
  method: "POST",
  path: "/v1/audio/transcriptions",
  answer(form, call) {
    const file = fileOf(form);
    if (file === undefined) return missing("file");
    const model = form.fields.get("model");
    if (model === undefined || model === "") {
      return refuse(400, "you must provide a model parameter");
    }
    const { tokens } = makeUpAnswer({
      seed: `${call.seed}${model}/${file.sha256}`,
      maxTokens: null,
      wantedTokens: call.outputTokens,
      schema: null,
    });
    const text = tokens.join("");
    const seconds = Math.ceil(file.bytes / BYTES_PER_SECOND);
    const usage = transcriptionUsage(model, seconds, tokens.length);
    switch (form.fields.get("response_format") ?? "json") {
      case "json":
        return { kind: "json", body: { text, usage }, outputTokens: tokens.length };
      case "text":
        return { kind: "pieces", contentType: "text/plain; charset=utf-8", pieces: [`${text}\n`] };
      case "verbose_json": {
        const body = { task: "transcribe", language: "english", duration: seconds, text, usage };
        return { kind: "json", body: { ...body, segments: [] }, outputTokens: tokens.length };
      }
      default:
        return refuse(400, "The simulator transcribes to 'json', 'text' and 'verbose_json' only.", {
          code: "invalid_value",
          param: "response_format",
        });
    }
  },
};

export const uploadEndpoints: readonly FormEndpoint[] = [files, transcriptions];

/** whisper-1 is charged by the second, the models after it by the token. */
function transcriptionUsage(model: string, seconds: number, outputTokens: number): object {
  if (model.startsWith("whisper")) return { type: "duration", seconds };
  const inputTokens = seconds * TOKENS_PER_SECOND;
  return {
    type: "tokens",
    input_tokens: inputTokens,
    input_token_details: { text_tokens: 0, audio_tokens: inputTokens },
    output_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
  };
}

function fileOf(form: MultipartForm): MultipartFile | undefined {
  return form.files.find((one) => one.field === "file");
}

function missing(param: string): Answer {
  const code = "missing_required_parameter";
  return refuse(400, `Missing required parameter: '${param}'.`, { code, param });
}
