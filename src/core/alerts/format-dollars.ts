import { type Picos, PICOS_PER_USD } from "../money/picos.ts";

/**
 * An amount for people: whole cents from a dollar on, six places below it, rounded half away from zero. Figures that are
 * reckoned with are written by `formatUsd`, which is exact.
 */
export function formatDollars(amount: Picos): string {
  const isNegative = amount < 0n;
  const absolute = isNegative ? 0n - amount : amount;
  const places = absolute >= PICOS_PER_USD || absolute === 0n ? 2 : 6;
  const unit = 10n ** BigInt(places);
  const rounded = (absolute * unit * 2n + PICOS_PER_USD) / (PICOS_PER_USD * 2n);
  const whole = (rounded / unit).toString().replaceAll(/\B(?=(?:\d{3})+$)/g, ",");
  const fraction = (rounded % unit).toString().padStart(places, "0");
  const kept = places === 6 ? fraction.replace(/0{1,4}$/, "") : fraction;
  return `${isNegative ? "-" : ""}$${whole}.${kept}`;
}
