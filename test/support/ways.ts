/** A data plane with several ways to providers, each with an account and a key of its own. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { request, type Dispatcher } from "undici";
import { onTestFinished } from "vitest";
import type { ProviderAccountId, ProviderKeyId } from "../../src/core/ids/ids.ts";
import type { ProviderRoute, RoutingRule } from "../../src/proxy/snapshot.ts";
import { CHAT, post } from "./chat.ts";
import { dataPlaneFixture } from "./data-plane-fixture.ts";
import { routeTo, startDataPlane, type DataPlane, type DataPlaneOptions } from "./data-plane.ts";
import { startUpstream, type Respond, type Upstream } from "./upstream.ts";

/** A way to an upstream whose account and key go by this name. */
export function way(
  upstream: { readonly url: string },
  name: string,
  change: Partial<ProviderRoute> = {},
): ProviderRoute {
  return routeTo(upstream.url, {
    accountId: `acc_${name}` as ProviderAccountId,
    keyId: `pky_${name}` as ProviderKeyId,
    authHeaders: [["authorization", `Bearer ${name}`]],
    ...change,
  });
}

export interface WaysFixture {
  readonly provider: (respond: Respond) => Promise<Upstream>;
  /** Its clock stands until the test moves it, and it takes the first way of those it may take. */
  readonly gatewayTo: (
    routes: readonly ProviderRoute[] | (() => readonly ProviderRoute[]),
    options?: Partial<DataPlaneOptions> & { readonly rules?: readonly RoutingRule[] },
  ) => Promise<{ readonly gateway: DataPlane; readonly clock: { nowMs: number } }>;
}

/** For the top of a test file. */
export function waysFixture(): WaysFixture {
  const { closeAfter } = dataPlaneFixture();
  return {
    provider: async (respond) => {
      const upstream = await startUpstream(respond);
      closeAfter(() => upstream.close());
      return upstream;
    },
    gatewayTo: async (routes, { rules = [], ...options } = {}) => {
      const clock = { nowMs: 1_000 };
      const gateway = await startDataPlane({
        upstreamUrl: "http://127.0.0.1:9",
        routing: () => ({
          routes: typeof routes === "function" ? routes() : routes,
          rules,
          unpricedPolicy: "allow_and_alert",
        }),
        monotonicMs: () => clock.nowMs,
        random: () => 0.999_999,
        ...options,
      });
      closeAfter(() => gateway.close());
      return { gateway, clock };
    },
  };
}

export interface Answered {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData["headers"];
  readonly body: string;
}

export async function send(gateway: DataPlane, body: unknown = CHAT): Promise<Answered> {
  return readAnswer(await post(gateway, body));
}

/** Any other call. */
export async function call(
  gateway: DataPlane,
  path: string,
  options: {
    readonly method?: "GET" | "POST";
    readonly headers?: Record<string, string>;
    readonly body?: Buffer | string;
  } = {},
): Promise<Answered> {
  const { headers, ...rest } = options;
  const authorization = `Bearer ${gateway.key}`;
  return readAnswer(
    await request(`${gateway.url}${path}`, { ...rest, headers: { authorization, ...headers } }),
  );
}

async function readAnswer(res: Dispatcher.ResponseData): Promise<Answered> {
  return { status: res.statusCode, headers: res.headers, body: await res.body.text() };
}

/** The events in short: `1 pky_a failed 429`. */
export function attemptsOf({ events }: Pick<DataPlane, "events">): readonly string[] {
  return events.map(
    ({ attempt, providerKeyId, status, httpStatus }) =>
      `${attempt} ${providerKeyId} ${status} ${httpStatus ?? "-"}`,
  );
}

/**
 * A port of this machine that refuses connections until the test ends: the near end of an open connection has it, so
 * no server of another test file is given it meanwhile.
 */
export async function closedPort(): Promise<{ readonly url: string }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${String(socket.localPort)}` };
}
