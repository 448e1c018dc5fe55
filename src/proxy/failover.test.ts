/** One call and several provider keys, through the real data plane and real connections. */
import { describe, expect, it } from "vitest";
import { ANSWER, CHAT, post } from "../../test/support/chat.ts";
import { dataPlaneFixture } from "../../test/support/data-plane-fixture.ts";
import {
  startDataPlane,
  routeTo,
  type DataPlane,
  type DataPlaneOptions,
} from "../../test/support/data-plane.ts";
import {
  respondJson,
  startUpstream,
  type Respond,
  type Upstream,
} from "../../test/support/upstream.ts";
import type { ProviderAccountId, ProviderKeyId } from "../core/ids/ids.ts";
import type { ProviderRoute } from "./snapshot.ts";

const { closeAfter } = dataPlaneFixture();

const RATE_ERROR = {
  error: { message: "slow down", type: "requests", code: "rate_limit_exceeded" },
};
const SERVER_ERROR = { error: { message: "oops", type: "server_error", code: null } };

async function provider(respond: Respond): Promise<Upstream> {
  const upstream = await startUpstream(respond);
  closeAfter(() => upstream.close());
  return upstream;
}

/** A way to an upstream with an account and a key of its own. */
function way(
  upstream: { readonly url: string },
  name: string,
  change: Partial<ProviderRoute> = {},
) {
  return routeTo(upstream.url, {
    accountId: `acc_${name}` as ProviderAccountId,
    keyId: `pky_${name}` as ProviderKeyId,
    authHeaders: [["authorization", `Bearer ${name}`]],
    ...change,
  });
}

/** A clock that stands until a test moves it, and a choice that always takes the first way. */
async function gatewayTo(
  routes: readonly ProviderRoute[],
  options: Partial<DataPlaneOptions> = {},
): Promise<{ readonly gateway: DataPlane; readonly clock: { nowMs: number } }> {
  const clock = { nowMs: 1_000 };
  const gateway = await startDataPlane({
    upstreamUrl: "http://127.0.0.1:9",
    routing: { routes, rules: [], unpricedPolicy: "allow_and_alert" },
    monotonicMs: () => clock.nowMs,
    random: () => 0.999_999,
    ...options,
  });
  closeAfter(() => gateway.close());
  return { gateway, clock };
}

async function send(gateway: DataPlane, body: unknown = CHAT) {
  const res = await post(gateway, body);
  return { status: res.statusCode, headers: res.headers, body: await res.body.text() };
}

const attemptsOf = ({ events }: DataPlane) =>
  events.map(({ attempt, providerKeyId, status, httpStatus, costPicos }) => ({
    attempt,
    key: providerKeyId,
    status,
    httpStatus,
    isFree: costPicos === 0n,
  }));

describe("failover", () => {
  it.each([
    ["429", 429, RATE_ERROR],
    ["500", 500, SERVER_ERROR],
    ["503", 503, SERVER_ERROR],
    ["401", 401, SERVER_ERROR],
    ["403", 403, SERVER_ERROR],
    ["402", 402, SERVER_ERROR],
  ])("answers from the next key after a %s, charged once", async (_name, status, error) => {
    const first = await provider(respondJson(error, status));
    const second = await provider(respondJson(ANSWER));
    const { gateway } = await gatewayTo([way(first, "a"), way(second, "b")]);
    const answer = await send(gateway);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual(ANSWER);
    expect(attemptsOf(gateway)).toEqual([
      { attempt: 1, key: "pky_a", status: "failed", httpStatus: status, isFree: true },
      { attempt: 2, key: "pky_b", status: "succeeded", httpStatus: 200, isFree: false },
    ]);
    const ids = gateway.events.map(({ requestId }) => requestId);
    expect(new Set(ids).size).toBe(1);
    expect(gateway.intents.map(({ id }) => id)).toEqual(gateway.events.map(({ id }) => id));
    expect(second.seen[0]?.body).toEqual(first.seen[0]?.body);
  });
});
