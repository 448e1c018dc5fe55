import { leanPicos } from "../../core/money/lean-picos.ts";
import { type Picos, picos } from "../../core/money/picos.ts";

/**
 * An amount in two 64-bit columns: whole micro-dollars (rounded down), and the picos left over. One column of picos
 * would end at 9.2 million dollars, and a sum of them would fail or turn into a float there.
 */
export interface MoneyColumns {
  readonly micros: bigint;
  /** 0 to 999,999 in an event. A rollup adds them up without carrying, which holds for 9e12 events a row. */
  readonly restPicos: bigint;
}

const PICOS_A_MICRO = 1_000_000;
const PICOS_PER_MICRO = BigInt(PICOS_A_MICRO);
const MAX_INTEGER = 2n ** 63n - 1n;

/** Throws RangeError beyond 9.2 trillion dollars, which no sum of real calls reaches. */
export function toMoneyColumns(amount: Picos): MoneyColumns {
  const lean = leanPicos(amount);
  // Far quicker, and as exact: for what a call costs this is all there is to do.
  if (typeof lean === "number") return toColumns(lean);
  const remainder = amount % PICOS_PER_MICRO;
  const restPicos = remainder < 0n ? remainder + PICOS_PER_MICRO : remainder;
  const micros = (amount - restPicos) / PICOS_PER_MICRO;
  if (micros > MAX_INTEGER || micros < -MAX_INTEGER) {
    throw new RangeError(`an amount of ${amount} picos is beyond what the store can keep`);
  }
  return { micros, restPicos };
}

function toColumns(amount: number): MoneyColumns {
  const micros = Math.floor(amount / PICOS_A_MICRO);
  return { micros: BigInt(micros), restPicos: BigInt(amount - micros * PICOS_A_MICRO) };
}

export function toNullableMoney(amount: Picos | null) {
  return amount === null ? { micros: null, restPicos: null } : toMoneyColumns(amount);
}

export function fromNullableMoney(micros: bigint | null, restPicos: bigint | null): Picos | null {
  return micros === null || restPicos === null ? null : fromMoneyColumns(micros, restPicos);
}

/** Takes sums of the two columns as well. */
export function fromMoneyColumns(micros: bigint, restPicos: bigint): Picos {
  return picos(micros * PICOS_PER_MICRO + restPicos);
}
