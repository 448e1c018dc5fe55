import type { QuantityClass } from "../../usage/quantities.ts";

/** What another table says of one model on one tier, in the words of ours. */
export interface PublishedPrice {
  /** As the other table writes it. */
  readonly name: string;
  readonly provider: string;
  readonly model: string;
  readonly tier: string;
  readonly variant: string | null;
  /** From so many input tokens on; 0: from the first. */
  readonly fromInputTokens: number;
  /** Picos for one unit of a class. */
  readonly picosPerUnit: Readonly<Partial<Record<QuantityClass, bigint>>>;
}

const PICO_DIGITS = 12;
/** The 16th and 17th digit of a float are noise. */
const EXACT_DIGITS = 15;

/**
 * A price in USD for one unit, as tables in JSON give it (`1.5e-7`), as whole picos by moving its decimal point; finer
 * ones are rounded up, as the shipped list has them. Undefined for what is no price.
 */
export function picosOfUsd(usd: unknown): bigint | undefined {
  const value = typeof usd === "string" && usd.trim() !== "" ? Number(usd) : usd;
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) return undefined;
  const [digits = "0", exponent = "0"] = value.toExponential(EXACT_DIGITS - 1).split("e");
  const [whole = "0", fraction = ""] = digits.split(".");
  const shift = Number(exponent) + PICO_DIGITS - fraction.length;
  const scaled = BigInt(whole + fraction);
  if (shift >= 0) return scaled * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  return (scaled + divisor - 1n) / divisor;
}
