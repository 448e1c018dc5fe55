import { z } from "@hono/zod-openapi";
import { parseUsd, PICOS_PER_USD } from "../../core/money/picos.ts";

/** More than anybody sets; what is typed above it is a slip. */
const MAX_USD = 1_000_000_000n;

/** An amount of money that is not below zero, with twelve decimals at most. */
export function usdField(description: string, least: "zero" | "more") {
  return z
    .string()
    .transform((text, context) => {
      const amount = parseUsd(text);
      const isEnough = amount !== undefined && (least === "zero" ? amount >= 0n : amount > 0n);
      if (isEnough && amount <= MAX_USD * PICOS_PER_USD) return amount;
      const from = least === "zero" ? "from 0" : "above 0";
      context.issues.push({
        code: "custom",
        message: `must be a decimal in USD as text, "25.00", ${from} and up to ${MAX_USD}, with at most 12 decimals`,
        input: text,
      });
      return z.NEVER;
    })
    .openapi({ type: "string", description, example: "25.00" });
}
