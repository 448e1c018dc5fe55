import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { adminUnderTest, call, NOW_MS } from "../../../test/support/admin-under-test.ts";
import { sampleCallReport, sampleRefusalReport } from "../../../test/support/call-reports.ts";
import { until } from "../../../test/support/poll.ts";
import { serveAdmin } from "../../../test/support/serve-handler.ts";
import { LiveFeed } from "../../telemetry/live/live-feed.ts";
import type { AdminApp } from "../admin-app.ts";
import { createTokenAuthenticator } from "../authenticator.ts";
import { openSession } from "../log-in.ts";

const admin = adminUnderTest();
const TOKEN = "a".repeat(32);
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

type Line = { kind: string } & Record<string, Record<string, unknown>>;

interface Stream {
  next(): Promise<Line>;
  cancel(): void;
}

async function open(app: AdminApp, query = ""): Promise<Stream> {
  const controller = new AbortController();
  const { signal } = controller;
  const request = new Request(`http://keyward.test/api/v1/live/calls${query}`, { signal });
  const answer = await app.fetch(request);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
  if (answer.body === null) throw new Error("no body");
  const pieces = answer.body.getReader();
  closers.push(async () => pieces.cancel());
  const lines: string[] = [];
  return {
    async next() {
      while (lines.length === 0) {
        const { value } = await pieces.read();
        lines.push(
          ...Buffer.from(value ?? [])
            .toString()
            .split("\n")
            .filter(Boolean),
        );
      }
      return JSON.parse(lines.shift() ?? "") as Line;
    },
    cancel: () => controller.abort(),
  };
}

function appWith(limits = { maxReaders: 2, maxWaiting: 100 }) {
  const feed = new LiveFeed(limits);
  closers.push(async () => feed.close());
  const extraToken = TOKEN;
  const authenticator = createTokenAuthenticator({
    ...admin.store.access,
    nowMs: () => admin.nowMs,
    adminTokens: admin.store.adminTokens,
    extraToken,
  });
  return {
    feed,
    app: admin.appWith({ callFeed: feed }),
    guarded: admin.appWith({ callFeed: feed, authenticator }),
  };
}

async function serve(app: AdminApp): Promise<number> {
  const served = await serveAdmin(app);
  closers.push(served.close);
  return served.port;
}

async function ask(port: number, token: string): Promise<IncomingMessage> {
  const headers = { authorization: `Bearer ${token}` };
  const req = get({ port, host: "127.0.0.1", path: "/api/v1/live/calls", headers, agent: false });
  const [answer] = (await once(req, "response")) as [IncomingMessage];
  return answer;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

const sampleMember = {
  name: null,
  role: "viewer",
  environments: null,
  passwordHash: null,
  subject: null,
  createdAtMs: NOW_MS,
  lastLoginAtMs: null,
  removedAtMs: null,
} as const;

const turn = () =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

describe("GET /live/calls", () => {
  it("tells of calls and refusals as they end, beginning with where it stands", async () => {
    const { feed, app } = appWith();
    const stream = await open(app);
    expect(await stream.next()).toEqual({
      kind: "opened",
      time: "2026-01-31T09:00:00.000Z",
      serverStartedAt: "2026-01-31T09:00:00.000Z",
    });
    feed.callEnded(sampleCallReport({ customer: "acme", quantities: { input: 3, output: 4 } }));
    expect(await stream.next()).toMatchObject({
      kind: "call",
      call: {
        customer: "acme",
        inputTokens: 3,
        outputTokens: 4,
        environment: "development",
        ending: "whole",
        traceId: null,
      },
    });
    feed.callRefused(sampleRefusalReport({ code: "model_not_allowed", requestedModel: "o9" }));
    const { refusal } = await stream.next();
    expect(refusal).toMatchObject({ code: "model_not_allowed", requestedModel: "o9", keyId: null });
    expect(refusal).not.toHaveProperty("startedAtMs");
  });

  it("takes out what looks like a key, wherever a caller has put it", async () => {
    const { feed, app } = appWith();
    const stream = await open(app);
    await stream.next();
    const secret = ["sk", "proj", "x".repeat(40)].join("-");
    feed.callEnded(
      sampleCallReport({
        requestedModel: secret,
        servedModel: secret,
        sentModel: secret,
        customer: `me ${secret}`,
        feature: secret,
        path: `/v1/${secret}`,
      }),
    );
    feed.callRefused(
      sampleRefusalReport({
        requestedModel: secret,
        customer: secret,
        feature: secret,
        path: `/v1/${secret}`,
      }),
    );
    expect(JSON.stringify(await stream.next())).not.toContain(secret);
    const refusal = await stream.next();
    expect(JSON.stringify(refusal)).not.toContain(secret);
    expect(refusal["refusal"]).toMatchObject({ code: "invalid_api_key", durationMs: 1 });
  });

  it.each([
    ["?problems=true", ["failed", "refused"]],
    ["?status=refused", ["refused"]],
    ["?status=succeeded&problems=false", ["succeeded"]],
    ["?customer=acme&problems=true", ["failed"]],
    ["?model=gpt-4o", ["succeeded"]],
  ])("narrows by %s", async (query, expected) => {
    const { feed, app } = appWith();
    const stream = await open(app, query);
    await stream.next();
    feed.callEnded(sampleCallReport({ status: "succeeded", servedModel: "gpt-4o" }));
    feed.callEnded(sampleCallReport({ status: "failed", customer: "acme" }));
    feed.callRefused(sampleRefusalReport());
    const seen = [];
    while (seen.length < expected.length) {
      const { kind, call: told } = await stream.next();
      seen.push(kind === "refusal" ? "refused" : told?.["status"]);
    }
    expect(seen).toEqual(expected);
  });

  it("narrows by an environment's name, and refuses one that is not there", async () => {
    const { feed, app } = appWith();
    const { rows } = await admin.store.environments.list({ limit: 10 });
    const production = rows.find(({ name }) => name === "production");
    if (production === undefined) throw new Error("no production");
    const stream = await open(app, "?environment=production");
    await stream.next();
    feed.callEnded(sampleCallReport({ customer: "elsewhere" }));
    feed.callEnded(sampleCallReport({ customer: "here", environmentId: production.id }));
    expect((await stream.next())["call"]).toMatchObject({ customer: "here" });

    const refused = await call(app, "/live/calls?environment=nowhere");
    expect(refused).toMatchObject({ status: 400 });
    expect(feed.counts.readers).toBe(1);
  });

  it("refuses the reader that is one too many, and takes it when another has left", async () => {
    const { feed, app } = appWith({ maxReaders: 1, maxWaiting: 10 });
    const first = await open(app);
    expect(await call(app, "/live/calls")).toMatchObject({
      status: 503,
      body: { error: { code: "live_feed_unavailable" } },
    });
    // While it waits for an item, not when the next one comes.
    await first.next();
    first.cancel();
    expect(feed.counts.readers).toBe(0);
    await open(app);
  });

  it("says that nobody can tell where no server runs", async () => {
    expect(await admin.get("/live/calls")).toMatchObject({
      status: 503,
      body: { error: { code: "live_feed_unavailable" } },
    });
  });

  it("ends with the feed", async () => {
    const { feed, app } = appWith();
    const answer = await app.fetch(new Request("http://keyward.test/api/v1/live/calls"));
    feed.close();
    expect((await answer.text()).trim().split("\n")).toHaveLength(1);
  });
});

describe("GET /live/calls over HTTP", () => {
  it("needs an admin token, and opens nothing without", async () => {
    const { feed, guarded } = appWith();
    const port = await serve(guarded);
    const answer = await ask(port, "wrong");
    expect(answer.statusCode).toBe(401);
    await text(answer);
    expect(feed.counts.readers).toBe(0);
  });

  it("ends within a second or so of the token's, the session's and the member's end, and for nobody else", async () => {
    const { feed, guarded } = appWith({ maxReaders: 9, maxWaiting: 10 });
    const { members, sessions } = admin.store.access;
    const asMember = async (email: string) => {
      const member = { ...sampleMember, id: admin.deps.ids.create("mem"), email };
      await members.insert(member);
      const source = { address: null, userAgent: null, device: undefined };
      const opened = await openSession(admin.deps, { member, by: "passwordHash" }, source);
      return { id: member.id, cookie: `keyward_session=${opened?.session}` };
    };
    const withToken = async (more: object) => {
      const made = await admin.post("/admin-tokens", { name: "t", role: "viewer", ...more });
      return made.body as { id: string; token: string };
    };
    const expiresAt = new Date(admin.nowMs + 60_000).toISOString();
    const [revoked, expiring] = [await withToken({}), await withToken({ expiresAt })];
    const [removed, loggedOut] = [await asMember("a@example.com"), await asMember("b@example.com")];
    const watch = async (headers: Readonly<Record<string, string>>) => {
      const request = new Request("http://keyward.test/api/v1/live/calls", { headers });
      return await (await guarded.fetch(request)).text();
    };
    const ending = [
      bearer(revoked.token),
      bearer(expiring.token),
      { cookie: removed.cookie },
      { cookie: loggedOut.cookie },
    ].map(watch);
    await until("all are open", () => feed.counts.readers === 4);
    const staying = new AbortController();
    const { signal } = staying;
    const headers = bearer(TOKEN);
    const url = "http://keyward.test/api/v1/live/calls";
    await guarded.fetch(new Request(url, { headers, signal }));
    expect(feed.counts.readers).toBe(5);

    admin.nowMs += 60_000;
    await admin.post(`/admin-tokens/${revoked.id}/revoke`);
    await members.remove(removed.id, admin.nowMs);
    await sessions.removeOf(loggedOut.id);
    for (const told of await Promise.all(ending)) expect(told).toContain('"opened"');
    expect(feed.counts.readers).toBe(1);
    staying.abort();
    expect(feed.counts.readers).toBe(0);
  });

  it("is no use that keeps a session from lying idle", async () => {
    const authenticator = createTokenAuthenticator({
      ...admin.store.access,
      nowMs: () => admin.nowMs,
      adminTokens: admin.store.adminTokens,
    });
    const { members, sessions } = admin.store.access;
    const member = { ...sampleMember, id: admin.deps.ids.create("mem"), email: "a@example.com" };
    await members.insert(member);
    const source = { address: null, userAgent: null, device: undefined };
    const opened = await openSession(admin.deps, { member, by: "passwordHash" }, source);
    const credentials = { authorization: null, cookie: `keyward_session=${opened?.session}` };
    const seen = async () => (await sessions.listOf(member.id))[0]?.lastSeenAtMs;
    const before = await seen();
    admin.nowMs += 3_600_000;
    expect(await authenticator.identify(credentials, { isUse: false })).toBeDefined();
    expect(await seen()).toBe(before);
    await authenticator.identify(credentials);
    expect(await seen()).toBe(admin.nowMs);
  });

  it("sends an item at once, and frees the place when the reader hangs up", async () => {
    const { feed, guarded } = appWith();
    const answer = await ask(await serve(guarded), TOKEN);
    let told = "";
    answer.on("data", (piece: Buffer) => (told += piece.toString()));
    await until("it is opened", () => told.includes('"opened"'));
    feed.callEnded(sampleCallReport({ customer: "acme" }));
    await until("the call is told", () => told.includes('"acme"'));
    answer.destroy();
    await until("the place is free", () => feed.counts.readers === 0);
  });

  it("keeps little for a reader that does not read, and tells it what it has missed", async () => {
    const { feed, guarded } = appWith({ maxReaders: 2, maxWaiting: 50 });
    const answer = await ask(await serve(guarded), TOKEN);
    answer.pause();
    const sent = 20_000;
    for (let i = 1; i <= sent; i += 1) {
      feed.callEnded(sampleCallReport({ feature: "f".repeat(200) }));
      if (i % 50 === 0) await turn();
    }
    await until("something was dropped", () => feed.counts.dropped > 0);
    feed.callEnded(sampleCallReport({ customer: "the last" }));
    let told = "";
    answer.on("data", (piece: Buffer) => (told += piece.toString()));
    answer.resume();
    await until("the last is told", () => told.includes('"the last"') && told.endsWith("\n"));
    const lines = told
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { kind: string; count?: number });
    const calls = lines.filter(({ kind }) => kind === "call").length;
    const dropped = lines.reduce((sum, { count }) => sum + (count ?? 0), 0);
    expect(dropped).toBeGreaterThan(0);
    expect(calls + dropped).toBe(sent + 1);
  });
});
