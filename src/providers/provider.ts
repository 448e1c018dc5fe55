/**
 * A provider's contract: how its API is addressed and authenticated. Shared code never asks for a provider's name,
 * it asks this contract. Formats of bodies live in wire/, prices in core/pricing.
 */
interface ProviderCredentials {
  /** The secret in clear; never logged, never kept beyond the route it belongs to. */
  readonly secret: string;
  readonly organizationId: string | null;
  readonly projectId: string | null;
}

export interface Provider {
  /** The word in `provider` columns and in the price book. */
  readonly name: string;
  readonly title: string;
  /** Without trailing slash, with the version path; null when an account must name its own. */
  readonly defaultBaseUrl: string | null;
  readonly supports: {
    /** Accepts `stream_options.include_usage` on streamed chat and text completions. */
    readonly streamUsage: boolean;
  };
  /**
   * Whether it has the endpoint; a call never goes to a provider that has not. `path` is the data plane's, without
   * query. Absent: it has whatever a client of it asks for.
   */
  readonly serves?: (method: string, path: string) => boolean;
  /** Whether its calls cost nothing by definition (the simulator). */
  readonly isFree: boolean;
  /** Lower-case header names with values that authenticate a call. */
  authHeaders(credentials: ProviderCredentials): readonly (readonly [string, string])[];
}

/** The providers by name. */
export interface ProviderRegistry {
  find(name: string): Provider | undefined;
  list(): readonly Provider[];
}

export function createProviderRegistry(providers: readonly Provider[]): ProviderRegistry {
  const byName = new Map(providers.map((provider) => [provider.name, provider]));
  return {
    find: (name) => byName.get(name),
    list: () => [...byName.values()],
  };
}
