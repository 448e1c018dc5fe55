/** The whole data plane against names and addresses that may not be called; the resolver is the test's own. */
import type { LookupAddress } from "node:dns";
import { request } from "undici";
import { afterEach, expect, test } from "vitest";
import { ANSWER, CHAT, onlyEvent, post } from "../../test/support/chat.ts";
import { dataPlaneFixture } from "../../test/support/data-plane-fixture.ts";
import { startDataPlane } from "../../test/support/data-plane.ts";
import { respondJson, startUpstream, type Upstream } from "../../test/support/upstream.ts";
import type { LookUp } from "./guarded-connector.ts";

const subject = dataPlaneFixture();
const upstreams: Upstream[] = [];
afterEach(async () => {
  for (const upstream of upstreams.splice(0)) await upstream.close();
});

/** Each look-up takes the next answer; the last one stays. */
function resolver(...answers: readonly (readonly string[])[]): LookUp {
  let at = 0;
  return (_hostname, _options, callback) => {
    const addresses = answers[Math.min(at, answers.length - 1)] ?? [];
    at += 1;
    const found: LookupAddress[] = addresses.map((address) => ({
      address,
      family: address.includes(":") ? 6 : 4,
    }));
    callback(null, found);
  };
}

async function start(host: string, lookUp: LookUp, allowedHosts: readonly string[] = []) {
  const upstream = await startUpstream(respondJson(ANSWER));
  upstreams.push(upstream);
  const { port } = new URL(upstream.url);
  const upstreamUrl = `http://${host}:${port}`;
  const gateway = await startDataPlane({ upstreamUrl, allowedHosts, lookUp });
  subject.closeAfter(() => gateway.close());
  return { upstream, gateway, port };
}

test.each([
  ["loopback", ["127.0.0.1"]],
  ["loopback as IPv6", ["::ffff:127.0.0.1"]],
  ["a private network", ["10.0.0.1"]],
  ["a cloud's metadata service", ["169.254.169.254"]],
  ["the internet and this machine both", ["93.184.215.14", "127.0.0.1"]],
])("refuses a public-looking name that resolves to %s", async (_, addresses) => {
  const { upstream, gateway } = await start("provider.example", resolver(addresses));
  const res = await post(gateway, CHAT);
  expect(res.statusCode).toBe(502);
  expect(res.headers["x-should-retry"]).toBe("false");
  const text = await res.body.text();
  expect(text).toContain("upstream_not_allowed");
  expect(text).not.toContain(addresses[0]);
  expect(upstream.seen).toEqual([]);
  expect(await onlyEvent(gateway)).toMatchObject({ status: "failed", costPicos: 0n });
  expect(JSON.stringify(gateway.logged, errorsToText)).toContain("provider.example resolves to");
});

test("calls a host that is allowed by name, wherever in a private network it is", async () => {
  const { upstream, gateway } = await start("provider.example", resolver(["127.0.0.1"]), [
    "provider.example",
  ]);
  expect((await post(gateway, CHAT)).statusCode).toBe(200);
  expect(upstream.seen).toHaveLength(1);
});

test("refuses an allowed host that turns out to be a cloud's metadata service", async () => {
  const { upstream, gateway } = await start("provider.example", resolver(["169.254.169.254"]), [
    "provider.example",
  ]);
  expect(await (await post(gateway, CHAT)).body.text()).toContain("upstream_not_allowed");
  expect(upstream.seen).toEqual([]);
});

test("judges each new connection anew: what a name was allowed once says nothing of the next time", async () => {
  const { upstream, gateway } = await start(
    "provider.example",
    resolver(["127.0.0.1"], ["169.254.169.254"]),
    ["provider.example"],
  );
  upstream.respond = respondJson(ANSWER, 200, { connection: "close" });
  expect((await post(gateway, CHAT)).statusCode).toBe(200);
  expect((await post(gateway, CHAT)).statusCode).toBe(502);
  expect(upstream.seen).toHaveLength(1);
});

test.each(["127.0.0.1", "[::ffff:127.0.0.1]", "2130706433"])(
  "refuses the address %s itself, which no resolver is asked about",
  async (host) => {
    const { upstream, gateway } = await start(host, resolver(["93.184.215.14"]));
    expect(await (await post(gateway, CHAT)).body.text()).toContain("upstream_not_allowed");
    expect(upstream.seen).toEqual([]);
  },
);

test("allows an address at the port that is named, and at no other", async () => {
  const { gateway, upstream } = await start("127.0.0.1", resolver([]), ["127.0.0.1:1"]);
  expect((await post(gateway, CHAT)).statusCode).toBe(502);
  expect(upstream.seen).toEqual([]);
});

test.each([301, 302, 307, 308])(
  "hands a redirect (%i) to the client and follows it nowhere, so that no other host sees the key",
  async (status) => {
    const elsewhere = await startUpstream(respondJson(ANSWER));
    upstreams.push(elsewhere);
    const { gateway } = await subject.start(
      respondJson({}, status, { location: `${elsewhere.url}/v1/chat/completions` }),
    );
    for (const method of ["POST", "GET"] as const) {
      const res = await request(`${gateway.url}/v1/chat/completions`, {
        method,
        headers: { authorization: `Bearer ${gateway.key}`, "content-type": "application/json" },
        body: method === "POST" ? JSON.stringify(CHAT) : null,
      });
      await res.body.dump();
      expect(res.statusCode).toBe(status);
    }
    expect(elsewhere.seen).toEqual([]);
  },
);

function errorsToText(_key: string, value: unknown): unknown {
  return value instanceof Error ? value.message : value;
}
