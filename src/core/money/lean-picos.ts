import { picos, type Picos } from "./picos.ts";

/**
 * Money that is added up with every call: a number as long as that is exact, which takes up no memory, and a bigint
 * beyond, never one that could be a number. Compare two of them with `<` and `>`, which are exact for either; reckon
 * with them by the functions below.
 */
export type LeanPicos = number | bigint;

/** Sums of two numbers up to here are exact, so that it can be told when they go beyond. Some 4,503 USD. */
const MAX_NUMBER = 2 ** 52;

export function leanPicos(amount: bigint): LeanPicos {
  // Exact up to twice as much, and what is more than that does not become less.
  const near = Number(amount);
  return near <= MAX_NUMBER && near >= -MAX_NUMBER ? near : amount;
}

export function exactPicos(amount: LeanPicos): Picos {
  return picos(BigInt(amount));
}

export function sumOf(a: LeanPicos, b: LeanPicos): LeanPicos {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (sum <= MAX_NUMBER && sum >= -MAX_NUMBER) return sum;
  }
  return leanPicos(BigInt(a) + BigInt(b));
}

export function differenceOf(a: LeanPicos, b: LeanPicos): LeanPicos {
  if (typeof a === "number" && typeof b === "number") {
    const difference = a - b;
    if (difference <= MAX_NUMBER && difference >= -MAX_NUMBER) return difference;
  }
  return leanPicos(BigInt(a) - BigInt(b));
}

/** `count`: a whole number. */
export function timesOf(price: LeanPicos, count: number): LeanPicos {
  if (typeof price === "number") {
    const product = price * count;
    if (product <= MAX_NUMBER && product >= -MAX_NUMBER) return product;
  }
  return leanPicos(BigInt(price) * BigInt(count));
}
