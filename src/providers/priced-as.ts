import type { PriceBook } from "../core/pricing/price-book.ts";
import type { Provider } from "./provider.ts";

/** Whose prices hold at a base URL: the provider's own, or those known for the address of one that is only a protocol. */
export function pricedAs(
  provider: Pick<Provider, "name" | "defaultBaseUrl">,
  baseUrl: string | null,
  priceBook: Pick<PriceBook, "providerAt">,
): string {
  const isProtocolOnly = provider.defaultBaseUrl === null && baseUrl !== null;
  return (isProtocolOnly ? priceBook.providerAt(baseUrl) : undefined) ?? provider.name;
}
