/** What becomes of calls, connections and the ledger when the process is asked to stop, once and twice. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { adminOf } from "../support/keyward-process.ts";
import { listEvents } from "../support/list-events.ts";
import { until } from "../support/poll.ts";
import { besiege, type BesiegedKeyward } from "./support/besieged-keyward.ts";
import { expectRefusal } from "./support/expect-refusal.ts";
import { openConnection, type RawConnection } from "./support/raw-connection.ts";
import type { UpstreamRequest } from "./support/raw-upstream.ts";

let besieged: BesiegedKeyward;
beforeEach(async () => {
  besieged = await besiege({ KEYWARD_SHUTDOWN_GRACE_MS: "3000" });
});
afterEach(async () => {
  await besieged.close();
});

const HEAD =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
const inChunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const USAGE = `data: {"id":"c","model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n`;

/** A stream that has begun and goes on when the test says so. */
async function beginStream(): Promise<{ client: RawConnection; provider: UpstreamRequest }> {
  const asked = Promise.withResolvers<UpstreamRequest>();
  besieged.upstream.respond = (request) => {
    request.socket.write(HEAD + inChunk('data: {"choices":[{"delta":{"content":"first"}}]}\n\n'));
    asked.resolve(request);
  };
  const client = await openConnection(besieged.url);
  client.send(besieged.request({ body: '{"model":"gpt-4o-mini","stream":true}' }));
  await until("the stream has begun", () => client.received().includes("first"));
  return { client, provider: await asked.promise };
}

async function isRefused(url: string): Promise<boolean> {
  try {
    (await openConnection(url)).close();
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ECONNREFUSED";
  }
}

async function eventsAfterRestart() {
  const again = await besieged.home.start();
  const events = await listEvents(adminOf(again, besieged.adminToken));
  await again.stop();
  return events;
}

test("streams in flight come to their end, new calls are refused, and the ledger is whole", async () => {
  const { keyward, url } = besieged;
  const { client, provider } = await beginStream();
  const late = await openConnection(url);
  const request = besieged.request();
  late.send(request.subarray(0, 40));
  const idle = await openConnection(url);
  idle.send("GET /healthz HTTP/1.1\r\nhost: keyward.test\r\n\r\n");
  await idle.answered();

  keyward.child.kill("SIGTERM");
  await idle.ended();
  // The idle connection is closed an instant before the port is.
  await until("the port is given up", () => isRefused(url));
  late.send(request.subarray(40));
  expectRefusal((await late.answered()).responses[0], {
    status: 503,
    code: "shutting_down",
    isLast: true,
  });
  provider.socket.write(inChunk(USAGE) + inChunk("data: [DONE]\n\n") + inChunk(""));
  const { responses } = await client.answered();
  expect(responses[0]?.body.toString()).toContain("[DONE]");
  expect(await keyward.exited()).toBe(0);

  const events = await eventsAfterRestart();
  expect(events).toMatchObject([{ status: "succeeded", usageSource: "reported" }]);
});

test("a stream that does not end is cut when the grace is over, and counted as far as it came", async () => {
  const { client } = await beginStream();
  besieged.keyward.child.kill("SIGTERM");
  await client.ended();
  expect(client.received().toString()).not.toContain("\r\n0\r\n");
  expect(await besieged.keyward.exited()).toBe(0);
  expect(await eventsAfterRestart()).toMatchObject([
    { status: "interrupted", usageSource: "estimated" },
  ]);
});

test("asked a second time, by whichever signal, it ends at once; the call is in the ledger as unknown", async () => {
  const { child } = besieged.keyward;
  await beginStream();
  child.kill("SIGTERM");
  await until("it has begun to stop", () => besieged.keyward.output().includes("stopping"));
  child.kill("SIGINT");
  expect(await besieged.keyward.exited()).toBeNull();
  expect(child.signalCode).toBe("SIGINT");
  expect(await eventsAfterRestart()).toMatchObject([{ status: "unknown", costUsd: null }]);
});
