/** Providers that say the key back, in every place and form in which an answer can hold it. */
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { ANSWER, CHAT, chunk, DONE, onlyEvent, USAGE_CHUNK } from "../../test/support/chat.ts";
import { dataPlaneFixture } from "../../test/support/data-plane-fixture.ts";
import { PROVIDER_SECRET } from "../../test/support/data-plane.ts";
import { respondEvents, respondJson, type Respond } from "../../test/support/upstream.ts";
import { call } from "../../test/support/ways.ts";

const { start } = dataPlaneFixture();

const STARS = "*".repeat(PROVIDER_SECRET.length);
const QUOTE = { error: { message: `Incorrect key: ${PROVIDER_SECRET}` } };
const ECHO = { "x-echo": `Bearer ${PROVIDER_SECRET}`, [`x-${PROVIDER_SECRET}`]: "1" };

function compressed(body: string, status: number): Respond {
  return (_req, res) => {
    res.writeHead(status, { "content-type": "application/json", "content-encoding": "gzip" });
    res.end(gzipSync(body));
  };
}

const chat = (isStream: boolean) => ({
  method: "POST" as const,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ ...CHAT, stream: isStream }),
});

describe("a provider's key in its own answer is taken out", () => {
  it.each([
    ["of an error that is compressed", compressed(JSON.stringify(QUOTE), 401), chat(false)],
    ["of an error with a status of success", respondJson(QUOTE), chat(false)],
    [
      "of an answer that is charged",
      respondJson({ ...ANSWER, debug: QUOTE }, 200, ECHO),
      chat(false),
    ],
    [
      "of a stream's error",
      respondEvents([`data: ${JSON.stringify(QUOTE)}\n\n`], ECHO),
      chat(true),
    ],
    [
      "of an event in the middle of a stream",
      respondEvents([chunk({ content: PROVIDER_SECRET }), USAGE_CHUNK, DONE]),
      chat(true),
    ],
    [
      "of what is looked up, compressed as the client asked",
      compressed(JSON.stringify(QUOTE), 200),
      { headers: { "accept-encoding": "gzip" } },
    ],
  ])("%s", async (_where, respond, request) => {
    const { gateway } = await start(respond);
    const path = "method" in request ? "/v1/chat/completions" : "/v1/files/file-1";
    const answer = await call(gateway, path, request);
    expect(answer.body).toContain(STARS);
    expect(answer.body).not.toContain(PROVIDER_SECRET);
    expect(JSON.stringify(answer.headers)).not.toContain(PROVIDER_SECRET);
    expect(answer.headers["content-encoding"]).toBeUndefined();
    expect(JSON.stringify(gateway.logged)).not.toContain(PROVIDER_SECRET);
    await onlyEvent(gateway);
  });

  it("and a part of an encoded file, which cannot be decoded, passes as it is", async () => {
    const bytes = gzipSync("a file".repeat(100)).subarray(10, 30);
    const { gateway } = await start((_req, res) =>
      res.writeHead(206, { "content-encoding": "gzip" }).end(bytes),
    );
    const answer = await call(gateway, "/v1/files/file-1/content");
    expect([answer.status, answer.headers["content-encoding"]]).toEqual([206, "gzip"]);
  });

  it("and without the key's name in it, a compressed answer says the same as before", async () => {
    const { gateway } = await start(compressed(JSON.stringify(ANSWER), 200));
    const answer = await call(gateway, "/v1/files/file-1", {
      headers: { "accept-encoding": "gzip" },
    });
    expect(JSON.parse(answer.body)).toEqual(ANSWER);
    expect(() => gunzipSync(answer.body)).toThrow();
  });
});
