import type { PriceBook } from "../core/pricing/price-book.ts";
import type { Provider } from "./provider.ts";

/** What an account says of itself that decides whose prices hold. */
export interface PricedAccount {
  readonly baseUrl: string | null;
  /** The account's own word for it; it comes before everything else. */
  readonly pricedAs: string | null;
}

/** Whose prices hold at an account: the provider's own, or those known for the address of one that is only a protocol. */
export function pricedAs(
  provider: Pick<Provider, "name" | "pricedAs" | "defaultBaseUrl">,
  account: PricedAccount,
  priceBook: Pick<PriceBook, "providerAt">,
): string {
  const { baseUrl } = account;
  const isProtocolOnly = provider.defaultBaseUrl === null && baseUrl !== null;
  const known = isProtocolOnly ? priceBook.providerAt(baseUrl) : undefined;
  return account.pricedAs ?? known ?? provider.pricedAs ?? provider.name;
}
