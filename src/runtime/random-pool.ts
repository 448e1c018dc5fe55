import { randomFillSync } from "node:crypto";

const POOL_BYTES = 4096;

/**
 * Random bytes for ids, drawn from the system many at a time: a draw costs the same for ten bytes as for thousands.
 * Not for secrets, which must not lie in a buffer that outlives them.
 */
export function createRandomPool(): (count: number) => Uint8Array {
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  return (count) => {
    if (used + count > POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    used += count;
    return pool.slice(used - count, used);
  };
}
