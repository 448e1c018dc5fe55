import { z } from "@hono/zod-openapi";
import {
  isNearLimit,
  LIMITED_AMOUNTS,
  limitOf,
  NEAR_PERCENT,
  STRETCH_MS,
} from "../../core/limits/account-figures.ts";
import type { AdminDeps } from "../admin-deps.ts";
import { formatPeak, peakSchema } from "./demand-peak-schema.ts";

/** Accounts and models that are looked at, the busiest; and limits that are told of. */
const MAX_LOOKED_AT = 1_000;
const MAX_TOLD = 20;

export const limitNearSchema = z
  .object({
    accountId: z.string(),
    accountName: z.string().openapi({ example: "openai-main" }),
    model: z.string().openapi({ example: "gpt-4o" }),
    of: z.enum(["requests", "tokens"]),
    limit: z.number().openapi({ type: "integer", description: "As the provider told it last." }),
    peak: peakSchema,
  })
  .openapi("AccountLimitNear");

export const LIMITS_NEAR_DESCRIPTION = `Limits of provider accounts of which a minute of the last 24 hours asked for ${NEAR_PERCENT} % or more; at most ${MAX_TOLD}. \`GET /provider-accounts/{id}/limits\` has what to ask the provider with.`;

type LimitNear = z.infer<typeof limitNearSchema>;

export async function listLimitsNear(
  store: Pick<AdminDeps["store"], "accountDemand" | "providerAccounts">,
  nowMs: number,
): Promise<LimitNear[]> {
  const fromMs = nowMs - STRETCH_MS.lastDay;
  const peaks = await store.accountDemand.listPeaks({ fromMs, limit: MAX_LOOKED_AT });
  const near: LimitNear[] = [];
  for (const peaksOfModel of peaks) {
    const { accountId, model } = peaksOfModel;
    for (const of of LIMITED_AMOUNTS) {
      const peak = peaksOfModel[of];
      const limit = limitOf(peaksOfModel, of);
      if (peak === null || limit === null || !isNearLimit(peak, limit)) continue;
      const account = await store.providerAccounts.findById(accountId);
      if (account === undefined) continue;
      const told = { model, of, limit, peak: formatPeak(peak, limit) };
      near.push({ accountId, accountName: account.name, ...told });
      if (near.length >= MAX_TOLD) return near;
    }
  }
  return near;
}
