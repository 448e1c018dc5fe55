import type { Dispatcher } from "undici";
import type { Config } from "../config/config-schema.ts";
import { createAllowedHosts } from "../core/network/allowed-hosts.ts";
import type { Provider } from "../providers/provider.ts";
import { createUpstream } from "../proxy/upstream.ts";

/** The connections to providers. */
export function connectProviders(config: Config, standIn: Provider): Dispatcher {
  return createUpstream({
    connectTimeoutMs: config.upstreamConnectTimeoutMs,
    headersTimeoutMs: config.upstreamHeadersTimeoutMs,
    bodyIdleTimeoutMs: config.upstreamBodyIdleTimeoutMs,
    allowedHosts: createAllowedHosts([...config.allowedPrivateHosts, ...ownHosts(standIn)]),
  });
}

/** The simulator is a part of this process, so the data plane may call it without anybody's leave. */
function ownHosts({ defaultBaseUrl }: Provider): string[] {
  return defaultBaseUrl === null ? [] : [new URL(defaultBaseUrl).host];
}
