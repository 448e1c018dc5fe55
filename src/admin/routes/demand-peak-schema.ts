import { z } from "@hono/zod-openapi";
import type { DemandPeak } from "../../core/limits/account-demand.ts";
import { shareOf } from "../../core/limits/account-figures.ts";
import { formatInstant, instantAnswer } from "../fields/instants.ts";

export const peakSchema = z
  .object({
    amount: z.number().openapi({
      type: "integer",
      description: "Asked for in one minute, by all processes together.",
    }),
    minute: instantAnswer("When that minute began."),
    percent: z
      .number()
      .nullable()
      .openapi({
        type: ["integer", "null"],
        description: "Of the limit, rounded down; null where no limit was told.",
      }),
  })
  .openapi("DemandPeak");

export function formatPeak(peak: DemandPeak, limit: number | null): z.infer<typeof peakSchema> {
  const { amount, minuteMs } = peak;
  return { amount, minute: formatInstant(minuteMs), percent: shareOf(peak, limit) };
}
