import type { Address } from "../providers/provider.ts";
import type { Call } from "./call.ts";
import type { ProviderRoute } from "./snapshot.ts";

/** Where a call goes by a route. The client never chooses the host, and its path is below the account's base path. */
export function upstreamAddress(
  { request, peeked, upstreamModel }: Call,
  route: ProviderRoute,
): Address {
  const { provider, basePath, origin, apiVersion } = route;
  const tail = request.target.slice("/v1".length);
  if (provider.address === undefined) {
    return { target: basePath + tail || "/", takesStreamUsage: provider.supports.streamUsage };
  }
  return provider.address({
    basePath,
    origin,
    apiVersion,
    path: request.path.slice("/v1".length),
    query: tail.slice(request.path.length - "/v1".length),
    model: upstreamModel ?? peeked?.model ?? request.dated?.deployment ?? null,
    dated: request.dated,
  });
}
