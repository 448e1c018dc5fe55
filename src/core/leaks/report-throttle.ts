import { networkOf } from "../network/network-of.ts";

/** Reports that are taken at once, and how fast more may follow. */
interface Allowance {
  readonly burst: number;
  readonly perMinute: number;
}

const OF_NETWORK: Allowance = { burst: 20, perMinute: 20 };
/** From everywhere together: each candidate is a few looks at the database. */
const OF_ALL: Allowance = { burst: 3000, perMinute: 3000 };
/** So many at once, from a network that has not reported lately, are taken whatever others send. */
const MAX_FIRST_REPORTS = 5;
/** The network that has been silent for longest is forgotten first, and begins anew. */
const MAX_NETWORKS = 10_000;
const MINUTE_MS = 60_000;

interface Bucket {
  left: number;
  atMs: number;
}

/** Bounds how much work strangers can make. Takes the time as an argument; a clock that steps back refills nothing. */
export class ReportThrottle {
  readonly #all: Bucket = { left: OF_ALL.burst, atMs: 0 };
  /** In order of last use, oldest first. */
  readonly #byNetwork = new Map<string, Bucket>();

  /**
   * How long to wait; 0: so many reports may be looked at, and are counted. They are when one may: those beyond what is
   * allowed are made up for by waiting longer afterwards. What has to wait counts for nothing.
   */
  take(address: string | null, reports: number, nowMs: number): number {
    const network = address === null ? "" : networkOf(address);
    const own = this.#byNetwork.get(network) ?? { left: OF_NETWORK.burst, atMs: nowMs };
    refill(own, OF_NETWORK, nowMs);
    refill(this.#all, OF_ALL, nowMs);
    const isFirst = own.left >= OF_NETWORK.burst && reports <= MAX_FIRST_REPORTS;
    const waitOfAllMs = isFirst ? 0 : waitOf(this.#all, OF_ALL);
    const waitMs = Math.max(waitOf(own, OF_NETWORK), waitOfAllMs);
    this.#byNetwork.delete(network);
    this.#byNetwork.set(network, own);
    if (this.#byNetwork.size > MAX_NETWORKS) {
      const [oldest] = this.#byNetwork.keys();
      if (oldest !== undefined) this.#byNetwork.delete(oldest);
    }
    if (waitMs > 0) return waitMs;
    own.left -= reports;
    this.#all.left -= reports;
    return 0;
  }
}

function refill(bucket: Bucket, { burst, perMinute }: Allowance, nowMs: number): void {
  const elapsedMs = Math.max(0, nowMs - bucket.atMs);
  bucket.left = Math.min(burst, bucket.left + (elapsedMs * perMinute) / MINUTE_MS);
  bucket.atMs = nowMs;
}

function waitOf({ left }: Bucket, { perMinute }: Allowance): number {
  return left >= 1 ? 0 : Math.ceil(((1 - left) * MINUTE_MS) / perMinute);
}
