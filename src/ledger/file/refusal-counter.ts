import type { RefusalCount } from "../../core/usage/usage-event.ts";

export type Refusal = Pick<RefusalCount, "code" | "gatewayKeyId" | "customer" | "budgetWindowId">;

const HOUR_MS = 3_600_000;

/**
 * Refused calls, counted by hour, code, key, customer and budget window until they are flushed. They live in memory alone: a count of
 * refusals is worth no disk write, and `kill -9` loses at most what came since the last flush.
 *
 * A hostile caller can invent customers, so the distinct entries are limited: beyond the limit the customer is left
 * out, and the window, of which there may be one for each customer; beyond twice the limit the key too. No refusal goes
 * uncounted.
 */
export class RefusalCounter {
  readonly #maxEntries: number;
  readonly #counts = new Map<string, { refusal: Omit<RefusalCount, "count">; count: number }>();

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#counts.size;
  }

  count(refusal: Refusal, nowMs: number): void {
    const { code, gatewayKeyId, customer, budgetWindowId } = refusal;
    const hourMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
    this.#add({ hourMs, code, gatewayKeyId, customer, budgetWindowId }, 1);
  }

  /** Takes up to `limit` entries out. */
  take(limit: number): readonly RefusalCount[] {
    const taken: RefusalCount[] = [];
    for (const [key, { refusal, count }] of this.#counts) {
      if (taken.length === limit) break;
      taken.push({ ...refusal, count });
      this.#counts.delete(key);
    }
    return taken;
  }

  /** Puts entries back that were taken and did not arrive. */
  restore(taken: readonly RefusalCount[]): void {
    for (const { count, ...refusal } of taken) this.#add(refusal, count);
  }

  #add(refusal: Omit<RefusalCount, "count">, count: number): void {
    if (this.#increase(refusal, count, this.#maxEntries)) return;
    const withoutCustomer = { ...refusal, customer: null, budgetWindowId: undefined };
    if (this.#increase(withoutCustomer, count, 2 * this.#maxEntries)) return;
    this.#increase({ ...withoutCustomer, gatewayKeyId: null }, count, Infinity);
  }

  /** False when this would be a new entry and there are `maxEntries` already. */
  #increase(refusal: Omit<RefusalCount, "count">, count: number, maxEntries: number): boolean {
    const key = JSON.stringify([
      refusal.hourMs,
      refusal.code,
      refusal.gatewayKeyId,
      refusal.customer,
      refusal.budgetWindowId,
    ]);
    const entry = this.#counts.get(key);
    if (entry === undefined) {
      if (this.#counts.size >= maxEntries) return false;
      this.#counts.set(key, { refusal, count });
    } else {
      entry.count += count;
    }
    return true;
  }
}
