import { PICOS_PER_USD, formatUsd, parseUsd, picos } from "../money/picos.ts";
import type { QuantityClass, UnitClass } from "../usage/quantities.ts";

/** The amount of a class that providers publish a price for: a million tokens, a minute, an image. */
export interface PublishedUnit {
  /** How many of the class's own unit it is. */
  readonly size: number;
  /** For people, in the singular: `million tokens`. */
  readonly name: string;
  /** As a field of the API: `audioMinute`. */
  readonly field: string;
}

const MILLION_TOKENS = { size: 1_000_000, name: "million tokens", field: "millionTokens" } as const;

/** The published units of what is not counted in tokens. */
export const UNITS_OF_CLASSES = {
  audioInputMs: { size: 60_000, name: "minute of audio", field: "audioMinute" },
  inputCharacters: { size: 1_000_000, name: "million characters", field: "millionCharacters" },
  images: { size: 1, name: "image", field: "image" },
  webSearches: { size: 1000, name: "thousand web searches", field: "thousandWebSearches" },
  fileSearches: { size: 1000, name: "thousand file searches", field: "thousandFileSearches" },
  codeSessions: { size: 1, name: "code session", field: "codeSession" },
} as const satisfies Record<UnitClass, PublishedUnit>;

export function publishedUnitOf(quantityClass: QuantityClass): PublishedUnit {
  const units: Readonly<Partial<Record<QuantityClass, PublishedUnit>>> = UNITS_OF_CLASSES;
  return units[quantityClass] ?? MILLION_TOKENS;
}

/** For people: `a million tokens`, `an image`. */
export function formatUnitOf(unit: PublishedUnit): string {
  return `${/^[aeiou]/.test(unit.name) ? "an" : "a"} ${unit.name}`;
}

/** Dearer than anything that is sold; what is typed above it is a slip. */
const MAX_USD = 1_000_000n;

/**
 * Reads a price for what `publishedUnitOf` says, as picos for one unit of the class. A refusal is a predicate (`must be
 * …`): nothing that is no whole number of picos for one is taken, since calls are charged by the one.
 */
export function parseUnitPrice(
  quantityClass: QuantityClass,
  text: string,
): { readonly picosPerUnit: bigint } | { readonly refusal: string } {
  const unit = publishedUnitOf(quantityClass);
  const { size } = unit;
  const amount = parseUsd(text);
  if (amount === undefined || amount < 0n || amount > MAX_USD * PICOS_PER_USD) {
    return {
      refusal: `must be a decimal in USD for ${formatUnitOf(unit)}, "0.15", from 0 to ${MAX_USD}`,
    };
  }
  if (amount % BigInt(size) !== 0n) {
    const finest = formatUsd(picos(BigInt(size)));
    return { refusal: `must be a multiple of ${finest} USD for ${formatUnitOf(unit)}` };
  }
  return { picosPerUnit: amount / BigInt(size) };
}

/** A price as providers publish it, exact: `150000n` for an input token → `"0.15"` USD for a million. */
export function formatUnitPrice(quantityClass: QuantityClass, picosPerUnit: bigint): string {
  return formatUsd(picos(picosPerUnit * BigInt(publishedUnitOf(quantityClass).size)));
}
