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
  const digits = absolute.toString().padStart(FRACTION_DIGITS + 1, "0");
  const point = digits.length - FRACTION_DIGITS;
  let end = digits.length;
  while (end > point && digits.charAt(end - 1) === "0") end -= 1;
  const whole = digits.slice(0, point);
  const text = end === point ? whole : `${whole}.${digits.slice(point, end)}`;
  return isNegative ? `-${text}` : text;
}
