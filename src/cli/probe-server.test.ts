import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { type Answerer, probeServer } from "./probe-server.ts";

async function probe(listener: RequestListener): Promise<Answerer> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    return await probeServer("127.0.0.1", (server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
}

test("tells a Keyward by its health, and its version", async () => {
  const answer = await probe((_, res) => res.end('{"service":"keyward","version":"1.2.3"}'));
  expect(answer).toEqual({ kind: "keyward", version: "1.2.3" });
});

test.each(["null", "{}", "not JSON", '{"service":"other"}'])(
  "%s is another program",
  async (body) => {
    expect(await probe((_, res) => res.end(body))).toEqual({ kind: "other" });
  },
);

test("a program that says nothing, or hangs up, is another program", async () => {
  expect(await probe(() => undefined)).toEqual({ kind: "other" });
  expect(await probe((req) => req.socket.destroy())).toEqual({ kind: "other" });
});

test("where nobody listens nobody answers, also at ports that browsers refuse", async () => {
  expect(await probeServer("127.0.0.1", 1)).toEqual({ kind: "nobody" });
});
