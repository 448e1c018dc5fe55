import type { PriceBook } from "../core/pricing/price-book.ts";
import type { Call, Refusal } from "./call.ts";
import type { ProviderRoute } from "./snapshot.ts";

export interface PricedWaysDeps {
  readonly priceBook: Pick<PriceBook, "hasPrice">;
}

/**
 * Of the ways that a call may go those on which its model has a price: what an environment allows that refuses calls
 * without one. Which model and tier will serve it is not known yet, so the call can still turn out to be unpriced.
 */
export function pricedWays(
  { priceBook }: PricedWaysDeps,
  call: Call,
  ways: readonly ProviderRoute[],
): readonly ProviderRoute[] {
  const { operation, upstreamModel: model, startedAtMs: atMs } = call;
  // Where no model is read, none can be without a price; what charges nothing needs none.
  if (operation.requestKind === "unread" || !operation.charges) return ways;
  const models = [model, ...(call.peeked?.otherModels ?? [])];
  return ways.filter(
    ({ provider, pricedAs }) =>
      provider.isFree ||
      models.every((one) => priceBook.hasPrice({ provider: pricedAs, model: one, atMs })),
  );
}

export function unpricedModel(call: Call, environmentName: string): Refusal {
  const model = call.upstreamModel;
  const what =
    model === null
      ? "and this one names no model that is known before it is sent"
      : `and "${model.slice(0, 100)}" has none`;
  return {
    code: "model_unpriced",
    message: `The ${environmentName} environment takes only calls whose model has a price, ${what}. Give it one with \`keyward prices override\`, or change the policy with \`keyward environments set-policy\`.`,
    param: "model",
  };
}
