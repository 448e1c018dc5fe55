import { gzipSync } from "node:zlib";
import { createHostileBody } from "./arbitrary-json.ts";
import { mutateBytes } from "./mutate.ts";
import type { Random } from "./random.ts";
import { CHAT_ANSWER, type UpstreamRequest } from "./raw-upstream.ts";

/** Tells an answer of the provider from one of Keyward's own. */
export const UPSTREAM_HEADER = "x-from-upstream";

/** Answers well, or with a well-formed answer of hostile content, or with bytes that are hardly an answer. */
export function answerHostilely(random: Random, { socket }: UpstreamRequest): void {
  const bytes = createAnswer(random);
  if (random.chance(0.02)) return; // It never says a word.
  if (random.chance(0.03)) {
    socket.resetAndDestroy();
    return;
  }
  const isWounded = random.chance(0.3);
  const sent = isWounded ? mutateBytes(random, bytes) : bytes;
  const cut = random.below(sent.length + 1);
  socket.write(sent.subarray(0, cut));
  setImmediate(() => {
    if (socket.destroyed) return;
    socket.write(sent.subarray(cut));
    // Else it stalls, where the wound has made it wait for more.
    if (random.chance(isWounded ? 0.6 : 0.05)) socket.end();
  });
}

function createAnswer(random: Random): Buffer {
  const isStream = random.chance(0.4);
  const text = isStream ? createEvents(random) : createJson(random);
  const status = random.chance(0.85)
    ? "200 OK"
    : random.pick(["429 X", "500 X", "404 X", "204 X", "302 X", "400 X"]);
  const isGzip = random.chance(0.15);
  const body = isGzip ? gzipSync(text) : text;
  const headers = [
    `HTTP/1.1 ${status}`,
    `${UPSTREAM_HEADER}: 1`,
    `content-type: ${isStream ? "text/event-stream" : "application/json"}`,
    ...(isGzip ? ["content-encoding: gzip"] : []),
    ...(random.chance(0.1)
      ? ["x-keyward-cost-usd: 0", "set-cookie: a=b", "connection: x-hop"]
      : []),
    ...(random.chance(0.1) ? ["retry-after: 1e9", "x-name: \u00e9"] : []),
  ];
  if (random.chance(0.5)) {
    return Buffer.concat([
      Buffer.from(`${headers.join("\r\n")}\r\ncontent-length: ${body.length}\r\n\r\n`, "latin1"),
      body,
    ]);
  }
  return Buffer.concat([
    Buffer.from(`${headers.join("\r\n")}\r\ntransfer-encoding: chunked\r\n\r\n`, "latin1"),
    Buffer.from(`${body.length.toString(16)}\r\n`),
    body,
    Buffer.from(body.length === 0 ? "\r\n" : "\r\n0\r\n\r\n"),
  ]);
}

function createJson(random: Random): Buffer {
  if (random.chance(0.3)) return Buffer.from(JSON.stringify(CHAT_ANSWER));
  const { bytes } = createHostileBody(random);
  return random.chance(0.5) ? withUsage(random, bytes) : bytes;
}

function withUsage(random: Random, bytes: Buffer): Buffer {
  const counts = ["1", "0", "-1", "1e300", '"5"', "null", "{}", "9007199254740993", "1.5"];
  const usage = `{"usage":{"prompt_tokens":${random.pick(counts)},"completion_tokens":${random.pick(counts)},"prompt_tokens_details":${random.pick(["null", "{}", "[]", '{"cached_tokens":99}'])}},`;
  return Buffer.concat([Buffer.from(usage), bytes.subarray(1)]);
}

function createEvents(random: Random): Buffer {
  const events: Buffer[] = [];
  for (let i = 1 + random.below(6); i > 0; i -= 1) {
    const data = random.chance(0.5) ? Buffer.from(JSON.stringify(CHAT_ANSWER)) : createJson(random);
    const end = random.pick(["\n\n", "\r\n\r\n", "\r\r", "\n", "\n\n\n"]);
    events.push(
      Buffer.from(
        random.pick(["data: ", "data:", "event: x\ndata: ", ": comment\ndata: ", "id: 1\ndata: "]),
      ),
      data,
      Buffer.from(end),
    );
  }
  if (random.chance(0.7)) events.push(Buffer.from("data: [DONE]\n\n"));
  return Buffer.concat(events);
}
