import { unbounded, type CallBound } from "../../core/budgets/call-bound.ts";
import type { Quantities } from "../../core/usage/quantities.ts";
import { readScannedFields } from "../json/read-scanned-fields.ts";
import { SoughtNames } from "../json/sought-names.ts";
import { scanTopLevel } from "../json/top-level-scanner.ts";
import { asArray, asName, asObject } from "./fields.ts";
import {
  NO_FACTS,
  NO_TEXT_READER,
  type BoundRequest,
  type JsonObject,
  type Operation,
  type ResponseFacts,
} from "./operation.ts";
import { RESPONSE_USAGE, readUsage } from "./read-usage.ts";

/** What a picture is where the call does not say. Source: `ImageGenerateParams` of OpenAI's API, for DALL·E. */
const DEFAULT_QUALITY = "standard";
const DEFAULT_SIZE = "1024x1024";

/**
 * Pictures. Newer models report tokens, in JSON and in the last event of a stream; of an older one's answer the pictures
 * are counted, and its price hangs on their quality and size. Sources: `ImagesResponse`, `ImageGenCompletedEvent` and
 * `ImageEditCompletedEvent` of OpenAI's API.
 */
const generations: Operation = {
  ...NO_TEXT_READER,
  name: "images.generations",
  method: "POST",
  path: "/v1/images/generations",
  requestKind: "json",
  answerKind: "json",
  charges: true,
  unreported: "unknown",
  readBound: (request) => readBound(request, 0),
  needsIncludeUsage: false,
  responseFields: ["id", "model", "usage", "svg_usage", "data", "quality", "size"],
  readResponse,
  readStreamEvent: readFacts,
  isUsageOnlyEvent: () => false,
  completeFacts,
};

export const IMAGES: readonly Operation[] = [
  generations,
  {
    ...generations,
    name: "images.edits",
    path: "/v1/images/edits",
    requestKind: "form",
    readBound: (request) => readBound(request, MOST_SENT_PICTURES),
  },
  {
    ...generations,
    name: "images.variations",
    path: "/v1/images/variations",
    requestKind: "form",
    readBound: (request) => readBound(request, 1),
  },
];

/** Sixteen pictures and a mask. Source: `ImageEditParams` of OpenAI's API. */
const MOST_SENT_PICTURES = 17;
const MOST_PICTURES = 10_000;
const BOUND_FIELDS = new SoughtNames(["n", "quality", "size", "partial_images"]);

function readBound(request: BoundRequest, sentPictures: number): CallBound {
  const fields = request.fields ?? readBoundFields(request.bytes);
  if (fields === null) return unbounded("its fields are not all known before it is sent");
  const pictures = readCount(fields["n"], 1);
  const partialPictures = readCount(fields["partial_images"], 0);
  if (pictures === undefined || partialPictures === undefined) {
    return unbounded(`"n" or "partial_images" is no whole number up to ${MOST_PICTURES}`);
  }
  const quality = concrete(fields["quality"]);
  const size = concrete(fields["size"]);
  return {
    kind: "pictures",
    // Of a form only the short texts are held; what is longer is a picture.
    inputTokens: request.fields === null ? (request.bytes?.length ?? 0) : formTextBytes(fields),
    sentPictures,
    pictures,
    partialPictures,
    variant: quality !== null && size !== null ? `${quality}/${size}` : null,
  };
}

function readBoundFields(bytes: Buffer | null): JsonObject | null {
  const scan = bytes === null ? undefined : scanTopLevel(bytes, BOUND_FIELDS);
  const isOdd = scan?.duplicate !== undefined || scan?.lookAlike !== undefined;
  return scan === undefined || isOdd ? null : readScannedFields(scan);
}

/** Forms write numbers as text. */
function readCount(value: unknown, absent: number): number | undefined {
  if (value === undefined || value === null) return absent;
  const count = typeof value === "string" ? Number(value) : value;
  const isCount = Number.isInteger(count) && (count as number) >= absent;
  return isCount && (count as number) <= MOST_PICTURES ? (count as number) : undefined;
}

function formTextBytes(fields: JsonObject): number {
  let bytes = 0;
  for (const value of Object.values(fields)) bytes += Buffer.byteLength(String(value));
  return bytes;
}

function readResponse(body: JsonObject): ResponseFacts {
  const facts = readFacts(body);
  if (facts.quantities !== null) return facts;
  const images = asArray(body["data"]).length;
  return images === 0 ? facts : { ...facts, quantities: { images } };
}

function readFacts(body: JsonObject): ResponseFacts {
  const quality = asName(body["quality"]);
  const size = asName(body["size"]);
  return {
    ...NO_FACTS,
    responseId: asName(body["id"]),
    servedModel: asName(body["model"]),
    quantities: readTokens(body["usage"]),
    priceVariant: quality !== null && size !== null ? `${quality}/${size}` : null,
    // Written by a language model, whose tokens have prices of their own.
    unpricedCharge: hasTokens(body["svg_usage"]) ? "svg_usage" : null,
  };
}

/** Where the output is not divided, it is the picture. */
function readTokens(value: unknown): Quantities | null {
  const usage = asObject(value);
  const tokens = readUsage(usage, RESPONSE_USAGE);
  if (tokens === null || asObject(usage?.["output_tokens_details"]) !== undefined) return tokens;
  const { output = 0, ...rest } = tokens;
  return { ...rest, imageOutput: output };
}

function hasTokens(value: unknown): boolean {
  const tokens = asObject(value)?.["total_tokens"];
  return typeof tokens === "number" && tokens > 0;
}

/** A call that counts pictures is priced by what was asked for, unless the answer says what was made. */
function completeFacts(facts: ResponseFacts, request: JsonObject): ResponseFacts {
  if (facts.quantities?.images === undefined) return { ...facts, priceVariant: null };
  if (facts.priceVariant !== null) return facts;
  const quality = concrete(request["quality"]) ?? DEFAULT_QUALITY;
  const size = concrete(request["size"]) ?? DEFAULT_SIZE;
  return { ...facts, priceVariant: `${quality}/${size}` };
}

/** `auto` leaves it to the provider, whose default for these models is the one above. */
function concrete(value: unknown): string | null {
  return value === "auto" ? null : asName(value);
}
