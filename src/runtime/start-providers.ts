import { BUILT_IN_PRICE_LIST } from "../core/pricing/built-in-price-list.ts";
import { createPriceBook } from "../core/pricing/create-price-book.ts";
import type { OverridablePriceBook } from "../core/pricing/overridable-price-book.ts";
import type { Provider, ProviderRegistry } from "../providers/provider.ts";
import { simulatorProvider } from "../providers/simulator/simulator-provider.ts";
import { startSimulator } from "../providers/simulator/start-simulator.ts";
import type { Log } from "../telemetry/log.ts";
import type { Closers } from "./closers.ts";
import { createProviders } from "./providers.ts";

export interface Providers {
  readonly registry: ProviderRegistry;
  /** The simulator of this process, for environments without a provider key. */
  readonly standIn: Provider;
}

export async function startProviders(log: Log, closers: Closers): Promise<Providers> {
  const simulator = await startSimulator({
    host: "127.0.0.1",
    port: 0,
    nowMs: Date.now,
    onFault: (err) => log.error({ err }, "the simulator failed"),
  });
  closers.add("simulator", () => simulator.close());
  const standIn: Provider = { ...simulatorProvider, defaultBaseUrl: simulator.baseUrl };
  return { registry: createProviders(standIn), standIn };
}

/** The shipped prices, in which the providers that charge nothing are free. */
export function createBook({ registry }: Pick<Providers, "registry">): OverridablePriceBook {
  const freeProviders = registry.list().filter((provider) => provider.isFree);
  return createPriceBook(BUILT_IN_PRICE_LIST, {
    freeProviders: freeProviders.map(({ name }) => name),
  });
}
