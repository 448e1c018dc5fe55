import { createHostileBody } from "./arbitrary-json.ts";
import { mutateBytes } from "./mutate.ts";
import type { Random } from "./random.ts";

export interface HostileRequest {
  /** As they are sent, one piece after the other. */
  readonly pieces: readonly Buffer[];
  /** What the client does when it has sent them. */
  readonly ending: "waits" | "resets" | "half-closes";
}

/** In a body, and behind a request whose length lies: without a key of its own, so nobody may carry it out. */
export const SMUGGLED_TARGET = "/v1/smuggled";
const SMUGGLED = `GET ${SMUGGLED_TARGET} HTTP/1.1\r\nhost: keyward.test\r\n\r\n`;
/** Names the round to the upstream, which chooses its answer by it. */
export const ROUND_HEADER = "x-fuzz-round";
/** Stands in requests that name a field twice and are otherwise well: the upstream may never see it. */
export const AMBIGUOUS_HEADER = "x-fuzz-ambiguous";

const TARGETS = [
  "/v1/chat/completions",
  "/v1/chat/completions",
  "/v1/chat/completions",
  "/v1/responses",
  "/v1/messages",
  "/v1/embeddings",
  "/v1/files",
  "/v1/models",
  "/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21",
  "/healthz",
  "/api/v1/keys",
  "/v1/%2e%2e/x",
  "/v1//x",
  "*",
] as const;
const EXTRA_HEADERS = [
  "x-keyward-customer: a",
  "x-keyward-customer: \u00e9\u00ff",
  "x-keyward-feature: voice",
  "accept-encoding: gzip",
  "content-encoding: gzip",
  "content-encoding: identity",
  "expect: 100-continue",
  "connection: close",
  "connection: x-fuzz-round, authorization",
  "te: trailers",
  "trailer: authorization",
  "cookie: a=b",
  "x-forwarded-for: 1.2.3.4",
  "transfer_encoding: chunked",
  "openai-organization: org-evil",
  "traceparent: 00-zz-zz-00",
] as const;

export function createHostileRequest(random: Random, round: number, key: string): HostileRequest {
  const target = random.pick(TARGETS);
  const method = random.pick(["POST", "POST", "POST", "POST", "GET", "DELETE", "OPTIONS"] as const);
  const { bytes: json, isAmbiguous } = createHostileBody(random);
  const body = random.chance(0.1) ? Buffer.from(SMUGGLED) : json;
  const isChunked = random.chance(0.3);
  const isWounded = random.chance(0.6);
  const isUntouched = !isWounded && body === json;
  const headers = [
    "host: keyward.test",
    `authorization: Bearer ${key}`,
    `content-type: ${random.pick(["application/json", "application/json", "text/plain", "multipart/form-data; boundary=b"])}`,
    `${ROUND_HEADER}: ${round}`,
    ...(isAmbiguous && isUntouched && target === "/v1/chat/completions" && method === "POST"
      ? [`${AMBIGUOUS_HEADER}: 1`]
      : []),
    ...Array.from({ length: random.below(3) }, () => random.pick(EXTRA_HEADERS)),
    isChunked ? "transfer-encoding: chunked" : `content-length: ${body.length}`,
  ];
  const head = Buffer.from(
    `${method} ${target} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n`,
    "latin1",
  );
  const bytes = Buffer.concat([head, isChunked ? inChunks(random, body) : body]);
  const wounded = isWounded ? injure(random, bytes, head.length) : bytes;
  return { pieces: inPieces(random, wounded), ending: random.pick(ENDINGS) };
}

const ENDINGS = [
  "waits",
  "waits",
  "waits",
  "waits",
  "waits",
  "waits",
  "resets",
  "half-closes",
] as const;

function injure(random: Random, bytes: Buffer, headLength: number): Buffer {
  switch (random.below(8)) {
    case 0:
      return Buffer.concat([bytes, Buffer.from(SMUGGLED)]);
    case 1:
      return Buffer.concat([bytes, random.bytes(1 + random.below(200))]);
    case 2:
      return Buffer.concat([random.bytes(1 + random.below(20)), bytes]);
    case 3:
      return Buffer.from(
        bytes
          .toString("latin1")
          .replace(/content-length: \d+/, `content-length: ${random.below(200)}`),
        "latin1",
      );
    case 4:
      return mutateBytes(random, bytes);
    default:
      return mutateBytes(random, bytes, headLength);
  }
}

function inChunks(random: Random, body: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    const piece = body.subarray(at, at + 1 + random.below(2000));
    const extension = random.chance(0.1) ? ";a=b" : "";
    chunks.push(
      Buffer.from(`${piece.length.toString(16)}${extension}\r\n`),
      piece,
      Buffer.from("\r\n"),
    );
    at += piece.length;
  }
  const trailer = random.chance(0.1) ? "authorization: Bearer evil\r\n" : "";
  return Buffer.concat([...chunks, Buffer.from(`0\r\n${trailer}\r\n`)]);
}

function inPieces(random: Random, bytes: Buffer): Buffer[] {
  const cuts = Array.from({ length: random.below(4) }, () => random.below(bytes.length + 1));
  const bounds = [0, ...cuts.toSorted((one, other) => one - other), bytes.length];
  return bounds.slice(1).map((end, index) => bytes.subarray(bounds[index], end));
}
