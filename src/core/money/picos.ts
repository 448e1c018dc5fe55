/**
 * Money: integer pico-dollars (1e-12 USD) in a branded bigint. Never a float. Rounded only where a caller says so.
 */

declare const picosBrand: unique symbol;
export type Picos = bigint & { readonly [picosBrand]: true };

export const PICOS_PER_USD = 1_000_000_000_000n;
const FRACTION_DIGITS = 12;
const USD_PATTERN = /^(-?)(\d{1,15})(?:\.(\d{1,12}))?$/;

export const ZERO_PICOS = 0n as Picos;

export function picos(value: bigint): Picos {
  return value as Picos;
}

/**
 * Reads a decimal string in USD (`"0.000315"`, `"-12"`). Refused (`undefined`): exponents, more than 12 decimal
 * places, more than 15 digits before the point, anything else.
 */
export function parseUsd(text: string): Picos | undefined {
  const match = USD_PATTERN.exec(text);
  if (!match) return undefined;
  const [, sign, whole = "0", fraction = ""] = match;
  const value = BigInt(whole) * PICOS_PER_USD + BigInt(fraction.padEnd(FRACTION_DIGITS, "0"));
  return (sign === "-" ? -value : value) as Picos;
}

/** Writes the exact amount as a decimal string without trailing zeros: `315000000n` → `"0.000315"`, `0n` → `"0"`. */
export function formatUsd(amount: Picos): string {
  const isNegative = amount < 0n;
  const absolute = isNegative ? 0n - amount : amount;
  const whole = absolute < PICOS_PER_USD ? "0" : (absolute / PICOS_PER_USD).toString();
  // Less than a dollar is exact in a number, which is much faster to write than a bigint.
  const fraction = Number(absolute < PICOS_PER_USD ? absolute : absolute % PICOS_PER_USD);
  const text = fraction === 0 ? whole : `${whole}.${formatFraction(fraction)}`;
  return isNegative ? `-${text}` : text;
}

function formatFraction(picosOfDollar: number): string {
  let digits = picosOfDollar;
  let width = FRACTION_DIGITS;
  for (; digits % 10 === 0; digits /= 10) width -= 1;
  return String(digits).padStart(width, "0");
}
