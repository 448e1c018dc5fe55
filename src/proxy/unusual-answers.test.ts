import { gzipSync } from "node:zlib";
import { request } from "undici";
import { describe, expect, it } from "vitest";
import {
  ANSWER,
  CHAT,
  DONE,
  USAGE_CHUNK,
  chunk,
  onlyEvent,
  post,
} from "../../test/support/chat.ts";
import { dataPlaneFixture } from "../../test/support/data-plane-fixture.ts";
import { PROVIDER_SECRET } from "../../test/support/data-plane.ts";

const { start } = dataPlaneFixture();

describe("an answer in an unusual form", () => {
  const BOM = "\uFEFF";

  it.each([
    {
      form: "JSON with a byte order mark",
      headers: { "content-type": "application/json" },
      body: BOM + JSON.stringify(ANSWER),
      visible: BOM + JSON.stringify(ANSWER),
    },
    {
      form: "JSON in no named type",
      headers: {},
      body: JSON.stringify(ANSWER),
      visible: JSON.stringify(ANSWER),
    },
    {
      form: "JSON with an identity in capitals",
      headers: { "content-type": "application/json", "content-encoding": "Identity" },
      body: JSON.stringify(ANSWER),
      visible: JSON.stringify(ANSWER),
    },
    {
      form: "a stream in no named type",
      headers: {},
      body: chunk({ content: "a" }) + USAGE_CHUNK + DONE,
      visible: chunk({ content: "a" }) + DONE,
    },
    {
      form: "a stream as plain text",
      headers: { "content-type": "text/plain" },
      body: USAGE_CHUNK + DONE,
      visible: DONE,
    },
    {
      form: "a stream with a byte order mark",
      headers: { "content-type": "text/event-stream" },
      body: BOM + USAGE_CHUNK + DONE,
      visible: DONE,
    },
  ])("is metered all the same: $form", async ({ headers, body, visible }) => {
    const { gateway } = await start((_req, res) => res.writeHead(200, { ...headers }).end(body));
    const res = await post(gateway, { ...CHAT, stream: body.endsWith(DONE) });
    expect(Buffer.from(await res.body.arrayBuffer()).toString()).toBe(visible);
    expect(await onlyEvent(gateway)).toMatchObject({
      usageSource: "reported",
      costPicos: 967_500_000n,
    });
  });

  it.each(["whole", "cut"])(
    "counts by its size when it is large, says no usage, and is %s",
    async (end) => {
      const content = "word ".repeat(1_000_000);
      const body = JSON.stringify({
        ...ANSWER,
        usage: null,
        choices: [{ index: 0, message: { role: "assistant", content } }],
      });
      const { gateway } = await start((_req, res) => {
        res.writeHead(200, { "content-type": "application/json" });
        res.write(
          body,
          () => void (end === "whole" ? res.end() : setTimeout(() => res.destroy(), 200)),
        );
      });
      await (await post(gateway, CHAT)).body.dump({ limit: 10_000_000 }).catch(() => undefined);
      const { usageSource, quantities } = await onlyEvent(gateway);
      expect(usageSource).toBe("estimated");
      expect(quantities.output).toBeGreaterThan(1_000_000);
    },
  );

  it("counts no output of embeddings that broke off: their numbers are no text", async () => {
    const { gateway } = await start((_req, res) => {
      res.writeHead(200, { "content-type": "application/json" });
      res.write(`{"object":"list","data":[{"embedding":"${"A".repeat(5000)}`, () => res.destroy());
    });
    await request(`${gateway.url}/v1/embeddings`, {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.key}` },
      body: JSON.stringify({ model: "text-embedding-3-small", input: "one two" }),
    }).then(
      (res) => res.body.dump(),
      () => undefined,
    );
    expect(await onlyEvent(gateway)).toMatchObject({
      usageSource: "estimated",
      pricing: "priced",
      costPicos: 40_000n,
    });
  });

  it("is unknown, never a small estimate, when it cannot be read at all", async () => {
    const { gateway } = await start((_req, res) =>
      res
        .writeHead(200, { "content-type": "application/json", "content-encoding": "gzip, gzip" })
        .end(gzipSync(gzipSync(JSON.stringify(ANSWER)))),
    );
    await (await post(gateway, CHAT)).body.dump();
    expect(await onlyEvent(gateway)).toMatchObject({
      usageSource: "unknown",
      pricing: "unpriced",
      costPicos: null,
    });
  });

  it("may have no body and name an encoding", async () => {
    const { gateway } = await start((_req, res) =>
      res.writeHead(204, { "content-encoding": "gzip" }).end(),
    );
    expect((await post(gateway, CHAT)).statusCode).toBe(204);
  });

  it("does not hand out the provider's key where the provider quotes it", async () => {
    const { gateway } = await start((req, res) => {
      const quoted = `no such key: ${req.headers["authorization"]}`;
      res.writeHead(401, { "content-length": quoted.length, "x-received": quoted });
      res.write(quoted.slice(0, -5));
      setImmediate(() => res.end(quoted.slice(-5)));
    });
    const expected = `no such key: Bearer ${"*".repeat(PROVIDER_SECRET.length)}`;
    const refused = await post(gateway, CHAT);
    expect(refused.statusCode).toBe(401);
    expect(refused.headers["x-received"]).toBe(expected);
    expect(await refused.body.text()).toBe(expected);
  });
});
