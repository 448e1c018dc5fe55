import { createServer, request, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import type { StreamStep } from "../endpoint.ts";
import { sendAnswer } from "./exchange.ts";

const STEP_BYTES = 10_000;
const STEPS = 20_000;
const server = createServer();

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test("a client that does not read stops the making of its stream, and leaving ends it", async () => {
  let made = 0;
  function* steps(): Generator<StreamStep> {
    for (; made < STEPS; made += 1) yield { text: "x".repeat(STEP_BYTES), isToken: true };
  }
  let sending: Promise<void> | undefined;
  server.on("request", (_, res) => {
    const gone = new AbortController();
    res.once("close", () => gone.abort());
    const answer = { kind: "stream" as const, steps: steps() };
    sending = sendAnswer(res, answer, {
      pace: { tokensPerSecond: 0 },
      dialect: "openai",
      signal: gone.signal,
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  const call = request({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" });
  call.end();
  const answer = await new Promise<IncomingMessage>((resolve) => call.once("response", resolve));
  answer.on("error", () => undefined);
  await untilSteady(() => made);
  // What lies between is in the sockets' buffers, a few megabytes of the 200.
  expect(made).toBeLessThan(STEPS / 2);

  call.destroy();
  await sending;
  expect(made).toBeLessThan(STEPS / 2);
});

/** Resolves when the value has stayed the same through 25 looks. */
async function untilSteady(read: () => number): Promise<void> {
  let last = -1;
  for (let same = 0; same < 25; same += 1) {
    const value = read();
    if (value !== last) same = 0;
    last = value;
    await sleep(10);
  }
}
