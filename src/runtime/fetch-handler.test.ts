import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { adminUnderTest, NOW_MS } from "../../test/support/admin-under-test.ts";
import { until } from "../../test/support/poll.ts";
import { sampleEvent, sampleIntent } from "../../test/support/sample-calls.ts";
import { serveAdmin } from "../../test/support/serve-handler.ts";
import type { AdminApp } from "../admin/admin-app.ts";
import { createTokenAuthenticator } from "../admin/authenticator.ts";
import { createAdminClient, expectData } from "../admin/client.ts";
import { MAX_BODY_BYTES } from "../admin/guards/json-body.ts";
import { createAdminServer } from "../admin/server.ts";

const TOKEN = "a-token-for-the-test";
const AUTHORIZATION = { authorization: `Bearer ${TOKEN}` };

describe("the admin API over HTTP", { timeout: 30_000 }, () => {
  const admin = adminUnderTest();
  const closers: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });

  async function listen(app?: AdminApp): Promise<{ url: string; port: number }> {
    const { adminTokens } = admin.store;
    const authenticator = createTokenAuthenticator({
      ...admin.store.access,
      nowMs: Date.now,
      adminTokens,
      extraToken: TOKEN,
    });
    const served = await serveAdmin(app ?? admin.appWith({ authenticator }));
    closers.push(served.close);
    return served;
  }

  async function insertEvents(count: number): Promise<void> {
    const events = Array.from({ length: count }, (_, index) =>
      sampleEvent(sampleIntent(admin.deps.ids, { startedAtMs: NOW_MS + index })),
    );
    await admin.store.usage.insertBatch({ events, refusals: [] });
  }

  it("never serves an app that trusts its caller", async () => {
    const server = createAdminServer(async () => admin.app);
    const request = new Request("http://keyward.test/api/v1/customers");
    await expect(server.fetch(request)).rejects.toThrow("must not be reachable over HTTP");
  });

  it("loads its app with the first request, once; where that fails, anew with the next", async () => {
    let loads = 0;
    const server = createAdminServer(async () => {
      loads += 1;
      if (loads === 1) throw new Error("too many open files");
      return { ...admin.app, checksTokens: true };
    });
    const ask = () => server.fetch(new Request("http://keyward.test/api/v1/customers"));
    expect(loads).toBe(0);
    await expect(ask()).rejects.toThrow("too many open files");
    expect((await Promise.all([ask(), ask()])).map(({ status }) => status)).toEqual([200, 200]);
    expect(loads).toBe(2);
  });

  it("serves the typed client as the app in process does", async () => {
    const { url } = await listen();
    const client = createAdminClient({ baseUrl: `${url}/`, token: TOKEN });
    const body = { externalId: "acme" };
    const created = expectData(await client.POST("/customers", { body }));
    expect(created).toMatchObject({ externalId: "acme" });
    const { data } = expectData(await client.GET("/customers"));
    expect(data).toEqual([created]);
    const wrong = createAdminClient({ baseUrl: url, token: "wrong" });
    const { response } = await wrong.GET("/customers");
    expect(response.status).toBe(401);
  });

  it("leaves the process's own Request and Response alone", async () => {
    const { Request: before, Response: answer } = globalThis;
    await listen();
    expect(globalThis.Request).toBe(before);
    expect(globalThis.Response).toBe(answer);
  });

  it("refuses a body over the limit, announced or not, without reading it all", async () => {
    const { url } = await listen();
    const headers = { ...AUTHORIZATION, "content-type": "application/json" };
    const announced = await fetch(`${url}/api/v1/projects`, {
      method: "POST",
      headers,
      body: "x".repeat(MAX_BODY_BYTES + 1),
    });
    expect(announced.status).toBe(413);
    expect(await announced.json()).toMatchObject({ error: { code: "request_too_large" } });
    const chunked = httpRequest(`${url}/api/v1/projects`, { method: "POST", headers });
    chunked.on("error", () => undefined);
    const answered = once(chunked, "response");
    const block = Buffer.alloc(64 * 1024, "x");
    for (let sent = 0; sent <= MAX_BODY_BYTES; sent += block.length) chunked.write(block);
    const [answer] = (await answered) as [Parameters<typeof text>[0] & { statusCode: number }];
    expect(answer.statusCode).toBe(413);
    chunked.destroy();
  });

  it("asks for the token before it reads a body", async () => {
    const { url } = await listen();
    const stranger = httpRequest(`${url}/api/v1/projects`, {
      method: "POST",
      headers: { "content-type": "application/json", "content-length": "1000" },
    });
    stranger.on("error", () => undefined);
    const answered = once(stranger, "response");
    stranger.write("{");
    const [answer] = (await answered) as [{ statusCode: number }];
    expect(answer.statusCode).toBe(401);
    stranger.destroy();
  });

  it("takes a body that its sender breaks off for no fault", async () => {
    const answers: Promise<Response>[] = [];
    const { url } = await listen({
      ...admin.app,
      checksTokens: true,
      fetch(request) {
        const answer = admin.app.fetch(request);
        answers.push(answer);
        return answer;
      },
    });
    const headers = { "content-type": "application/json" };
    const broken = httpRequest(`${url}/api/v1/projects`, { method: "POST", headers });
    broken.on("error", () => undefined);
    broken.write('{"name": ');
    await until("the request to arrive", () => answers.length > 0);
    broken.destroy();
    expect((await answers[0])?.status).toBe(400);
    expect(admin.faults).toEqual([]);
  });

  it("answers a malformed host with an error in the common shape", async () => {
    const { port } = await listen();
    const socket = connect(port, "127.0.0.1");
    socket.write("GET /api/v1/projects HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n");
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('"code":"invalid_header"');
  });

  it("streams an export to the end, and a head without a body", async () => {
    await insertEvents(1000);
    const { url } = await listen();
    const path = `${url}/api/v1/usage/events/export`;
    const full = await fetch(path, { headers: AUTHORIZATION });
    expect((await full.text()).trimEnd().split("\r\n")).toHaveLength(1001);
    const head = await fetch(path, { method: "HEAD", headers: AUTHORIZATION });
    expect(head.status).toBe(200);
    expect(await head.text()).toBe("");
  });

  it("reads no more of a stream than its client takes, and none when the client goes away", async () => {
    const block = new Uint8Array(256 * 1024);
    let blocks = 0;
    let isCancelled = false;
    const endless = () =>
      new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            blocks += 1;
            controller.enqueue(block);
          },
          cancel() {
            isCancelled = true;
          },
        },
        { highWaterMark: 0 },
      );
    const app = admin.appWith({});
    const { port } = await listen({
      ...app,
      checksTokens: true,
      fetch: () => Promise.resolve(new Response(endless())),
    });
    const socket = connect(port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nhost: keyward.test\r\n\r\n");
    await once(socket, "readable");
    // The kernel's buffers take some; a stream that is not held back would not stand still.
    const standsStill = async () => {
      const before = blocks;
      for (let turn = 0; turn < 50; turn += 1)
        await new Promise((resolve) => setImmediate(resolve));
      return blocks === before;
    };
    await until("the stream to be held back", standsStill);
    expect(isCancelled).toBe(false);
    socket.destroy();
    await until("the stream to be cancelled", () => isCancelled);
  });

  it("cuts the connection when an export breaks off, so that half of it cannot pass for all", async () => {
    await insertEvents(3000);
    const { url } = await listen();
    const answer = await fetch(`${url}/api/v1/usage/events/export`, { headers: AUTHORIZATION });
    const reader = answer.body?.getReader();
    await reader?.read();
    await admin.store.close();
    const readToTheEnd = async () => {
      for (;;) if ((await reader?.read())?.done) return;
    };
    await expect(readToTheEnd()).rejects.toThrow();
    await until("the fault", () => admin.faults.length > 0);
    expect(admin.faults.splice(0)).toMatchObject([{ path: "/api/v1/usage/events/export" }]);
  });
});
