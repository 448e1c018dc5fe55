import type { Dispatcher } from "undici";
import type { Config } from "../config/config-schema.ts";
import { createAllowedHosts } from "../core/network/allowed-hosts.ts";
import type { Provider } from "../providers/provider.ts";
import {
  createGuardedAgent,
  createUpstream,
  type Upstream,
  type UpstreamOptions,
} from "../proxy/upstream.ts";

/** The connections to providers, of calls and of what Keyward asks beside them. */
export function connectProviders(config: Config, standIn: Provider): Upstream {
  return createUpstream(upstreamOptions(config, standIn));
}

/** Where no calls are served. */
export function connectForAsides(config: Config, standIn: Provider): Dispatcher {
  return createGuardedAgent(upstreamOptions(config, standIn));
}

function upstreamOptions(config: Config, standIn: Provider): UpstreamOptions {
  return {
    connectTimeoutMs: config.upstreamConnectTimeoutMs,
    headersTimeoutMs: config.upstreamHeadersTimeoutMs,
    bodyIdleTimeoutMs: config.upstreamBodyIdleTimeoutMs,
    allowedHosts: createAllowedHosts([...config.allowedPrivateHosts, ...ownHosts(standIn)]),
  };
}

/** The simulator is a part of this process, so the data plane may call it without anybody's leave. */
function ownHosts({ defaultBaseUrl }: Provider): string[] {
  return defaultBaseUrl === null ? [] : [new URL(defaultBaseUrl).host];
}
