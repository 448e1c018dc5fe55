import { z } from "zod";
import { makeUpImage } from "../content/made-up-image.ts";
import { countTokens } from "../content/text-tokens.ts";
import {
  namedEvent,
  readRequest,
  refuse,
  type Answer,
  type Call,
  type FormEndpoint,
  type JsonEndpoint,
  type StreamStep,
} from "../endpoint.ts";
import type { MultipartForm } from "../http/multipart-reader.ts";
import { missing } from "./form-parts.ts";
import { imageInputTokens, imageOutputTokens } from "./image-tokens.ts";

const MAX_IMAGES = 10;
const MAX_PARTIAL_IMAGES = 3;
const MAX_SIDE = 2048;
const DEFAULT_MODEL = "gpt-image-1";
const DEFAULT_SIZE = "1024x1024";

/** Numbers and truth values arrive as texts in a form. */
const countUpTo = (most: number) => z.coerce.number().int().min(0).max(most);
const requestSchema = z.looseObject({
  model: z.string().min(1).nullish(),
  prompt: z.string().min(1).max(32_000),
  n: countUpTo(MAX_IMAGES).min(1).nullish(),
  size: z
    .string()
    .regex(/^(?:auto|\d{2,4}x\d{2,4})$/, "expected a size such as 1024x1024")
    .nullish(),
  quality: z.string().nullish(),
  background: z.string().nullish(),
  output_format: z.enum(["png"], "the simulator makes PNG only").nullish(),
  response_format: z.enum(["url", "b64_json"]).nullish(),
  stream: z.union([z.boolean(), z.enum(["true", "false"])]).nullish(),
  partial_images: countUpTo(MAX_PARTIAL_IMAGES).nullish(),
});
type ImageRequest = z.infer<typeof requestSchema>;

/** `POST /v1/images/generations`. Sources: `ImagesResponse` and `ImageGenStreamEvent` of OpenAI's API. */
const generations: JsonEndpoint = {
  takes: "json",
  method: "POST",
  path: "/v1/images/generations",
  answer: (body, call) => answerImages(body, { event: "image_generation", inputs: [], call }),
};

/** `POST /v1/images/edits`: of the pictures in a form. Source: `ImageEditStreamEvent` of OpenAI's API. */
const edits: FormEndpoint = {
  takes: "form",
  method: "POST",
  path: "/v1/images/edits",
  answer(form, call) {
    const inputs = picturesOf(form);
    if (inputs.length === 0) return missing("image");
    return answerImages(Object.fromEntries(form.fields), { event: "image_edit", inputs, call });
  },
};

/** `POST /v1/images/variations`: without a prompt, as dall-e-2 alone offers it. */
const variations: FormEndpoint = {
  takes: "form",
  method: "POST",
  path: "/v1/images/variations",
  answer(form, call) {
    const inputs = picturesOf(form);
    if (inputs.length === 0) return missing("image");
    const fields = { model: "dall-e-2", ...Object.fromEntries(form.fields), prompt: "variation" };
    return answerImages(fields, { event: "image_edit", inputs, call });
  },
};

export const imageEndpoints = [generations, edits, variations] as const;

interface Assignment {
  readonly event: "image_generation" | "image_edit";
  /** The hashes of the pictures that came along. */
  readonly inputs: readonly string[];
  readonly call: Call;
}

function answerImages(body: unknown, { event, inputs, call }: Assignment): Answer {
  const read = readRequest(requestSchema, body);
  if ("refusal" in read) return read.refusal;
  const { request } = read;
  const picture = new Picture(request, inputs, call);
  if (picture.isTooLarge) {
    const details = { code: "invalid_value", param: "size" };
    return refuse(400, `The simulator's pictures have ${MAX_SIDE} pixels a side at most.`, details);
  }
  const isStream = String(request.stream ?? false) === "true";
  if (!isStream) return { kind: "json", body: picture.whole(), outputTokens: 0 };
  if (picture.isOfDallE) {
    return refuse(400, `'${request.model}' does not stream.`, { param: "stream" });
  }
  return { kind: "stream", steps: picture.steps(event) };
}

class Picture {
  readonly isOfDallE: boolean;
  readonly #request: ImageRequest;
  readonly #createdAtSeconds: number;
  readonly #seed: string;
  readonly #size: { readonly width: number; readonly height: number };
  readonly #inputs: number;

  constructor(request: ImageRequest, inputs: readonly string[], call: Call) {
    const [width = 0, height = 0] = sizeOf(request).split("x").map(Number);
    this.#request = request;
    this.#inputs = inputs.length;
    this.#createdAtSeconds = call.createdAtSeconds;
    this.#size = { width, height };
    const model = request.model ?? DEFAULT_MODEL;
    this.isOfDallE = model.startsWith("dall-e");
    this.#seed = JSON.stringify([call.seed, model, request.prompt, ...inputs]);
  }

  get isTooLarge(): boolean {
    return this.#size.width > MAX_SIDE || this.#size.height > MAX_SIDE;
  }

  whole(): object {
    const count = this.#request.n ?? 1;
    const images = Array.from({ length: count }, (_, index) => this.#image(`${index}`));
    if (!this.isOfDallE) {
      const data = images.map((png) => ({ b64_json: png.toString("base64") }));
      const usage = this.#usage(count, 0);
      return { created: this.#createdAtSeconds, data, ...this.#facts(), usage };
    }
    // What DALL·E answers with by default; no host is needed to look at it.
    const isUrl = this.#request.response_format !== "b64_json";
    const data = images.map((png) => {
      const text = png.toString("base64");
      return isUrl ? { url: `data:image/png;base64,${text}` } : { b64_json: text };
    });
    return { created: this.#createdAtSeconds, data };
  }

  *steps(event: Assignment["event"]): Generator<StreamStep> {
    const partials = this.#request.partial_images ?? 0;
    const head = { created_at: this.#createdAtSeconds, ...this.#facts() };
    for (let index = 0; index < partials; index += 1) {
      const sharpness = (index + 1) / (partials + 1);
      const image = this.#image("0", sharpness).toString("base64");
      const fields = { b64_json: image, partial_image_index: index, ...head };
      yield { text: namedEvent(`${event}.partial_image`, fields), isToken: true };
    }
    const usage = this.#usage(1, partials);
    const fields = { b64_json: this.#image("0").toString("base64"), ...head, usage };
    yield { text: namedEvent(`${event}.completed`, fields), isToken: true };
  }

  #image(index: string, sharpness = 1): Buffer {
    return makeUpImage(`${this.#seed}/${index}`, this.#size, sharpness);
  }

  #facts(): object {
    return {
      background: this.#request.background === "transparent" ? "transparent" : "opaque",
      output_format: "png",
      quality: qualityOf(this.#request),
      size: sizeOf(this.#request),
    };
  }

  #usage(images: number, partials: number): object {
    const text = countTokens(this.#request.prompt);
    const image = this.#inputs * imageInputTokens();
    const perImage = imageOutputTokens(qualityOf(this.#request), this.#size);
    const output = images * perImage + partials * TOKENS_PER_PARTIAL_IMAGE;
    return {
      input_tokens: text + image,
      input_tokens_details: { text_tokens: text, image_tokens: image },
      output_tokens: output,
      output_tokens_details: { text_tokens: 0, image_tokens: output },
      total_tokens: text + image + output,
    };
  }
}

/** Source: "Image generation" of OpenAI's API documentation, on partial images. */
const TOKENS_PER_PARTIAL_IMAGE = 100;

function sizeOf({ size }: ImageRequest): string {
  return size === undefined || size === null || size === "auto" ? DEFAULT_SIZE : size;
}

function qualityOf({ quality }: ImageRequest): string {
  return quality === undefined || quality === null || quality === "auto" ? "medium" : quality;
}

/** A form has one picture as `image`, or several as `image[]`. */
function picturesOf({ files }: MultipartForm): readonly string[] {
  return files.filter(({ field }) => /^image(?:\[\])?$/.test(field)).map(({ sha256 }) => sha256);
}
