import listed from "./price-list.json" with { type: "json" };
import type { PriceList } from "./price-list.ts";

/** The price list that ships with Keyward. Written by `npm run prices`; its `source` says from what. */
export const BUILT_IN_PRICE_LIST = listed as unknown as PriceList;
