import { z } from "zod";
import {
  MP3_BYTES_PER_WORD,
  mp3OfWord,
  PCM_BYTES_PER_WORD,
  pcmOfWord,
  WAV_HEADER_BYTES,
  wavHeader,
} from "../content/spoken-sound.ts";
import { countTokens, splitTokens } from "../content/text-tokens.ts";
import { dataEvent, readRequest, refuse, type JsonEndpoint, type StreamStep } from "../endpoint.ts";

const requestSchema = z.looseObject({
  model: z.string().min(1),
  // OpenAI's own limit.
  input: z.string().min(1).max(4096),
  voice: z.union([z.string().min(1), z.looseObject({ id: z.string() })]),
  instructions: z.string().nullish(),
  response_format: z.string().nullish(),
  stream_format: z.enum(["sse", "audio"]).nullish(),
});

interface SoundFormat {
  readonly contentType: string;
  readonly headerBytes: number;
  readonly bytesPerWord: number;
  header(soundBytes: number): Buffer;
  word(word: string, voice: string): Buffer;
}

const NO_HEADER = Buffer.alloc(0);
const PCM: SoundFormat = {
  contentType: "audio/pcm",
  headerBytes: 0,
  bytesPerWord: PCM_BYTES_PER_WORD,
  header: () => NO_HEADER,
  word: pcmOfWord,
};
const FORMATS: ReadonlyMap<string, SoundFormat> = new Map([
  ["mp3", { ...PCM, contentType: "audio/mpeg", bytesPerWord: MP3_BYTES_PER_WORD, word: mp3OfWord }],
  ["wav", { ...PCM, contentType: "audio/wav", headerBytes: WAV_HEADER_BYTES, header: wavHeader }],
  ["pcm", PCM],
]);

/**
 * `POST /v1/audio/speech`: a tone for each word, as WAV or raw samples; silence of the same length as MP3. A word is a
 * token. Sources: `SpeechCreateParams` of OpenAI's API, and its reference for the events.
 */
export const speech: JsonEndpoint = {
  takes: "json",
  method: "POST",
  path: "/v1/audio/speech",
  answer(body, { seed }) {
    const read = readRequest(requestSchema, body);
    if ("refusal" in read) return read.refusal;
    const { model, input, instructions, stream_format: streamFormat } = read.request;
    const name = read.request.response_format ?? "mp3";
    const format = FORMATS.get(name);
    if (format === undefined) {
      const message = `The simulator speaks ${[...FORMATS.keys()].join(", ")}, not '${name}'.`;
      return refuse(400, message, { code: "invalid_value", param: "response_format" });
    }
    const words = splitTokens(input);
    const voice = `${seed}${JSON.stringify(read.request.voice)}`;
    if (streamFormat === "sse") {
      if (model.startsWith("tts-1")) {
        return refuse(400, `'${model}' does not stream events.`, { param: "stream_format" });
      }
      const inputTokens = countTokens(input) + countTokens(instructions ?? "");
      const usage = {
        input_tokens: inputTokens,
        output_tokens: words.length,
        total_tokens: inputTokens + words.length,
      };
      return { kind: "stream", steps: eventsOf(sound(format, words, voice), usage) };
    }
    return {
      kind: "pieces",
      contentType: format.contentType,
      contentLength: format.headerBytes + words.length * format.bytesPerWord,
      pieces: sound(format, words, voice),
    };
  },
};

/** The words' sounds; the first has the header before it. */
function* sound(format: SoundFormat, words: readonly string[], voice: string): Generator<Buffer> {
  for (const [index, word] of words.entries()) {
    const bytes = format.word(word, voice);
    const header = format.header(words.length * format.bytesPerWord);
    yield index === 0 ? Buffer.concat([header, bytes]) : bytes;
  }
}

function* eventsOf(pieces: Iterable<Buffer>, usage: object): Generator<StreamStep> {
  for (const piece of pieces) {
    const data = { type: "speech.audio.delta", audio: piece.toString("base64") };
    yield { text: dataEvent(data), isToken: true };
  }
  yield { text: dataEvent({ type: "speech.audio.done", usage }), isToken: false };
}
