/**
 * Service tiers, and endpoints whose usage is more than text in tokens. Prices: OpenAI's own pages, read 2026-11-24, as
 * named above each group; each row of the price book names its source, too.
 */
import { plain, type Golden } from "./golden.ts";

/** openai.com/api-priority-processing; developers.openai.com/api/docs/guides/flex-processing (half the price). */
export const TIERS: readonly Golden[] = [
  {
    // 600 x 0.125 + 400 x 0.0125 + 200 x 1 = 75 + 5 + 200
    name: "flex, with cached input",
    model: "gpt-5-mini",
    tier: "flex",
    usage: { ...plain(1000, 200), prompt_tokens_details: { cached_tokens: 400 } },
    costUsd: "0.00028",
  },
  {
    // 1000 x 1 + 1000 x 4
    name: "flex of a model that was once dearer",
    model: "o3-2025-04-16",
    tier: "flex",
    usage: plain(1000, 1000),
    costUsd: "0.005",
  },
  {
    // 800 x 2.50 + 200 x 0.25 + 500 x 20 = 2000 + 50 + 10000
    name: "priority, with cached input",
    model: "gpt-5",
    tier: "priority",
    usage: { ...plain(1000, 500), prompt_tokens_details: { cached_tokens: 200 } },
    costUsd: "0.01205",
  },
  {
    // 1000 x 4.25 + 100 x 17 = 4250 + 1700
    name: "priority at less than twice the price",
    model: "gpt-4o-2024-08-06",
    tier: "priority",
    usage: plain(1000, 100),
    costUsd: "0.00595",
  },
  {
    // 500 x 0.25 + 500 x 0.125 + 100 x 1 = 125 + 62.5 + 100
    name: "priority of a small model",
    model: "gpt-4o-mini",
    tier: "priority",
    usage: { ...plain(1000, 100), prompt_tokens_details: { cached_tokens: 500 } },
    costUsd: "0.0002875",
  },
];

const TRANSCRIBED = {
  type: "tokens",
  input_tokens: 114,
  output_tokens: 30,
  total_tokens: 144,
  input_token_details: { audio_tokens: 100, text_tokens: 14 },
};

/** developers.openai.com/api/docs/models/whisper-1 ($0.006 a minute), …/gpt-4o-transcribe, …/gpt-4o-mini-transcribe. */
export const RECORDINGS: readonly Golden[] = [
  {
    // 9 s x 0.006 / 60, not 8.47 s
    name: "a recording at its billed seconds, which are not its duration",
    endpoint: "audio/transcriptions",
    model: "whisper-1",
    answer: { text: "a", duration: 8.47, usage: { type: "duration", seconds: 9 } },
    costUsd: "0.0009",
  },
  {
    // 95 s x 0.006 / 60
    name: "a recording of a minute and a half",
    endpoint: "audio/transcriptions",
    model: "whisper-1",
    answer: { text: "a", usage: { type: "duration", seconds: 95 } },
    costUsd: "0.0095",
  },
  {
    name: "a recording of zero seconds, as reported",
    endpoint: "audio/transcriptions",
    model: "whisper-1",
    answer: { text: "", duration: 3, usage: { type: "duration", seconds: 0 } },
    costUsd: "0",
  },
  {
    // 62 s x 0.006 / 60: the verbose answer's 61.2 s, rounded up as usage.seconds is
    name: "a translation, by the length in its verbose answer",
    endpoint: "audio/translations",
    model: "whisper-1",
    answer: { text: "a", language: "english", duration: 61.2 },
    costUsd: "0.0062",
  },
  {
    name: "a translation that says nothing of its length",
    endpoint: "audio/translations",
    model: "whisper-1",
    answer: { text: "a" },
    costUsd: null,
  },
  {
    // 100 audio x 2.50 + 14 text x 2.50 + 30 x 10 = 250 + 35 + 300
    name: "a recording in tokens",
    endpoint: "audio/transcriptions",
    model: "gpt-4o-transcribe",
    answer: { text: "a", usage: TRANSCRIBED },
    costUsd: "0.000585",
  },
  {
    // 114 x 1.25 + 30 x 5 = 142.5 + 150
    name: "a recording in tokens on a small model",
    endpoint: "audio/transcriptions",
    model: "gpt-4o-mini-transcribe",
    answer: { text: "a", usage: TRANSCRIBED },
    costUsd: "0.0002925",
  },
  {
    name: "a recording at Groq, whose minimum charge no answer tells",
    endpoint: "audio/transcriptions",
    provider: "groq",
    model: "whisper-large-v3",
    answer: { text: "a", duration: 61.2 },
    costUsd: null,
  },
];

/** developers.openai.com/api/docs/models/tts-1 ($15 a million characters), …/tts-1-hd ($30), …/gpt-4o-mini-tts. */
export const SPEECH: readonly Golden[] = [
  {
    // 4096 characters x 15
    name: "the longest text there may be",
    endpoint: "audio/speech",
    model: "tts-1",
    answer: {},
    request: { input: "x".repeat(4096) },
    costUsd: "0.06144",
  },
  {
    // 15 characters x 15: an emoji is one, and so is an umlaut
    name: "characters, and not bytes",
    endpoint: "audio/speech",
    model: "tts-1",
    answer: {},
    request: { input: "Grüße 👋 an alle" },
    costUsd: "0.000225",
  },
  {
    // 1000 characters x 30
    name: "speech in high definition",
    endpoint: "audio/speech",
    model: "tts-1-hd",
    answer: {},
    request: { input: "x".repeat(1000) },
    costUsd: "0.03",
  },
  {
    // 14 x 0.60 + 101 audio x 12 = 8.4 + 1212
    name: "speech in tokens, as its last event reports them",
    endpoint: "audio/speech",
    model: "gpt-4o-mini-tts",
    answer: { usage: { input_tokens: 14, output_tokens: 101, total_tokens: 115 } },
    costUsd: "0.0012204",
  },
  {
    // 250 x 0.60 + 1250 audio x 12 = 150 + 15000: estimated; OpenAI's own estimate is $0.015 a minute
    name: "speech in tokens that nobody reports",
    endpoint: "audio/speech",
    model: "gpt-4o-mini-tts",
    answer: {},
    request: { input: "x".repeat(1000) },
    costUsd: "0.01515",
  },
];

const DRAWN = {
  input_tokens: 50,
  input_tokens_details: { text_tokens: 10, image_tokens: 40 },
  output_tokens: 272,
  total_tokens: 322,
};
const ONE = { created: 1, data: [{ url: "x" }] };

/** developers.openai.com/api/docs/models/gpt-image-1, …-1-mini, …-1.5; DALL·E: openai.com/pricing, 2023-12-25. */
export const IMAGES: readonly Golden[] = [
  {
    // 10 text x 5 + 40 image x 10 + 272 x 40 = 50 + 400 + 10880
    name: "a picture in tokens",
    endpoint: "images/generations",
    model: "gpt-image-1",
    answer: { created: 1, usage: DRAWN },
    costUsd: "0.01133",
  },
  {
    // 13 text x 2 + 1056 x 8 = 26 + 8448
    name: "a picture in tokens on a small model",
    endpoint: "images/generations",
    model: "gpt-image-1-mini",
    answer: {
      created: 1,
      usage: {
        input_tokens: 13,
        input_tokens_details: { text_tokens: 13, image_tokens: 0 },
        output_tokens: 1056,
        total_tokens: 1069,
      },
    },
    costUsd: "0.008474",
  },
  {
    // 10 text x 5 + 40 image x 8 + 72 text x 10 + 200 image x 32 = 50 + 320 + 720 + 6400
    name: "a picture with text beside it, edited",
    endpoint: "images/edits",
    model: "gpt-image-1.5",
    answer: {
      created: 1,
      usage: { ...DRAWN, output_tokens_details: { image_tokens: 200, text_tokens: 72 } },
    },
    costUsd: "0.00749",
  },
  {
    name: "a picture that was rewritten by another model, which has its own price",
    endpoint: "images/generations",
    model: "gpt-image-2",
    answer: { created: 1, usage: DRAWN, svg_usage: { model: "gpt-5", total_tokens: 14 } },
    costUsd: null,
  },
  {
    name: "a picture of the ordinary kind",
    endpoint: "images/generations",
    model: "dall-e-3",
    answer: ONE,
    costUsd: "0.04",
  },
  {
    name: "a large picture in high definition",
    endpoint: "images/generations",
    model: "dall-e-3",
    answer: ONE,
    request: { quality: "hd", size: "1024x1792" },
    costUsd: "0.12",
  },
  {
    // 3 x 0.018; a form's fields are texts
    name: "three small pictures, edited",
    endpoint: "images/edits",
    model: "dall-e-2",
    answer: { created: 1, data: [{}, {}, {}] },
    request: { n: "3", size: "512x512" },
    costUsd: "0.054",
  },
  {
    name: "a picture of a size that has no price",
    endpoint: "images/generations",
    model: "dall-e-3",
    answer: ONE,
    request: { size: "2048x2048" },
    costUsd: null,
  },
];

const ANSWERED = {
  id: "resp_1",
  usage: { input_tokens: 300, output_tokens: 40, total_tokens: 340 },
};
const SEARCH = { type: "web_search_call", status: "completed", action: { type: "search" } };
const FILE_SEARCH = { type: "file_search_call", status: "completed" };
const CODE = { type: "code_interpreter_call", status: "completed", container_id: "a" };

/**
 * developers.openai.com/api/docs/pricing: a web search $10 a thousand, with the preview tool on models that do not reason
 * $25; a file search $2.50 a thousand; a container of 1 GB $0.03. The tokens are 300 and 40.
 */
export const TOOLS: readonly Golden[] = [
  {
    // 300 x 2.50 + 40 x 10 = 0.00115; 2 x 0.01
    name: "two searches of the web",
    endpoint: "responses",
    model: "gpt-4o",
    answer: { ...ANSWERED, output: [SEARCH, SEARCH] },
    costUsd: "0.02115",
  },
  {
    // 0.00115 + 0.025
    name: "a search with the older tool",
    endpoint: "responses",
    model: "gpt-4o",
    answer: { ...ANSWERED, output: [SEARCH], tools: [{ type: "web_search_preview" }] },
    costUsd: "0.02615",
  },
  {
    name: "the opening of a page, which is no search",
    endpoint: "responses",
    model: "gpt-4o",
    answer: { ...ANSWERED, output: [{ ...SEARCH, action: { type: "open_page", url: "x" } }] },
    costUsd: "0.00115",
  },
  {
    // 0.00115 + 0.01: one of the two was discounted
    name: "searches as the provider counts them",
    endpoint: "responses",
    model: "gpt-4o",
    answer: {
      ...ANSWERED,
      output: [SEARCH, SEARCH],
      tool_usage: { web_search: { num_requests: 1 } },
    },
    costUsd: "0.01115",
  },
  {
    // 300 x 1.25 + 40 x 10 = 0.000775; + 0.0025 + 0.03
    name: "a search of files, and two calls in one container",
    endpoint: "responses",
    model: "gpt-5",
    answer: { ...ANSWERED, output: [FILE_SEARCH, CODE, CODE] },
    costUsd: "0.033275",
  },
  {
    name: "a search on a model that has no price for it",
    endpoint: "responses",
    model: "gpt-4.1-nano",
    answer: { ...ANSWERED, output: [SEARCH] },
    costUsd: null,
  },
  {
    name: "a picture inside a response, drawn by a model of another price",
    endpoint: "responses",
    model: "gpt-4o",
    answer: { ...ANSWERED, output: [{ type: "image_generation_call", result: "x" }] },
    costUsd: null,
  },
  {
    // 1000 x 1.25 + 100 x 10: the answer does not name the model
    name: "a conversation made shorter",
    endpoint: "responses/compact",
    model: "gpt-5",
    answer: { output: [], usage: { input_tokens: 1000, output_tokens: 100 } },
    costUsd: "0.00225",
  },
  {
    // 1000 x 1.25 + 100 x 10
    name: "an endpoint that nobody has described",
    endpoint: "something/new",
    model: "gpt-5",
    answer: { model: "gpt-5", usage: { input_tokens: 1000, output_tokens: 100 } },
    costUsd: "0.00225",
  },
];

/** developers.openai.com/api/docs/guides/moderation: the endpoint is free. */
export const FREE: readonly Golden[] = [
  {
    name: "a moderation",
    endpoint: "moderations",
    model: "omni-moderation-latest",
    answer: { id: "modr_1", model: "omni-moderation-latest", results: [] },
    costUsd: "0",
  },
  {
    name: "the cancelling of a response, which repeats its usage",
    endpoint: "responses/resp_1/cancel",
    model: "gpt-4o",
    answer: ANSWERED,
    costUsd: "0",
  },
];
