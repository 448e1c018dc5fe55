import { request } from "undici";
import { afterEach, describe, expect, it } from "vitest";
import { serveHandler } from "../../test/support/serve-handler.ts";
import { createMetricsHandler, type MetricsHandlerDeps } from "./metrics-handler.ts";

const METRICS_TOKEN = "m".repeat(24);
const ADMIN = `Bearer ${"a".repeat(24)}`;

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** Asks as from elsewhere by way of the `host` header: the connection itself is always a local one here. */
async function ask(
  deps: Partial<MetricsHandlerDeps>,
  headers: Readonly<Record<string, string>> = {},
  method: "GET" | "POST" = "GET",
) {
  const { port, close } = await serveHandler(
    createMetricsHandler({
      contentType: "text/plain; version=0.0.4",
      scrape: async () => "keyward_up 1\n",
      host: "127.0.0.1",
      metricsToken: null,
      isAdmin: async (authorization) => authorization === ADMIN,
      onFault: () => undefined,
      ...deps,
    }),
  );
  closers.push(close);
  const res = await request(`http://127.0.0.1:${port}/metrics`, { method, headers });
  return { status: res.statusCode, headers: res.headers, text: await res.body.text() };
}

describe("/metrics", () => {
  it("is open to this machine while the server listens for it alone", async () => {
    for (const host of ["127.0.0.1", "localhost", "::1"]) {
      const answer = await ask({ host });
      expect(answer.status).toBe(200);
      expect(answer.text).toBe("keyward_up 1\n");
      expect(answer.headers["content-type"]).toBe("text/plain; version=0.0.4");
    }
  });

  it.each([
    ["a server that listens for others", { host: "0.0.0.0" }, {}],
    ["a public name that a proxy passes on", {}, { host: "keyward.example.com" }],
    ["a name that only begins like this machine", {}, { host: "127.0.0.1.evil.example" }],
    ["a metrics token that is set", { metricsToken: METRICS_TOKEN }, {}],
  ])("needs a token for %s", async (_what, deps, headers) => {
    const without = await ask(deps, headers);
    expect(without.status).toBe(401);
    expect(without.headers["www-authenticate"]).toBe("Bearer");
    expect(without.text).toContain("invalid_metrics_token");
    expect(without.text).not.toContain("keyward_up");
    const wrong = await ask(deps, { ...headers, authorization: `Bearer ${"x".repeat(24)}` });
    expect(wrong.status).toBe(401);
    expect((await ask(deps, { ...headers, authorization: ADMIN })).status).toBe(200);
  });

  it("takes the metrics token while the database is away, and says so to an admin token", async () => {
    const deps = {
      metricsToken: METRICS_TOKEN,
      isAdmin: () => Promise.reject(new Error("the database is away")),
    };
    const authorization = `Bearer ${METRICS_TOKEN}`;
    expect((await ask(deps, { authorization })).status).toBe(200);
    const admin = await ask(deps, { authorization: ADMIN });
    expect(admin.status).toBe(503);
    expect(admin.text).toContain("store_unavailable");
  });

  it("is read and not written", async () => {
    expect((await ask({}, {}, "POST")).status).toBe(405);
  });

  it("tells the log, and not the caller, why it could not be put together", async () => {
    const faults: unknown[] = [];
    const answer = await ask({
      scrape: () => Promise.reject(new Error("the detail")),
      onFault: (err) => faults.push(err),
    });
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain("the detail");
    expect(faults).toEqual([new Error("the detail")]);
  });
});
