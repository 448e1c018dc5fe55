import type { Provider } from "../providers/provider.ts";

/** Where Keyward itself asks a provider for something that names no model: the path and query of the request. */
export function targetOf({
  provider,
  origin,
  basePath,
  apiVersion,
  path,
}: {
  readonly provider: Pick<Provider, "address">;
  readonly origin: string;
  readonly basePath: string;
  readonly apiVersion: string | null;
  /** Below the version, `/models`. */
  readonly path: string;
}): string {
  if (provider.address === undefined) return basePath + path;
  const request = { basePath, origin, apiVersion, path, query: "", model: null, dated: null };
  return provider.address(request).target;
}
