import type { ProviderAccountId } from "../../core/ids/ids.ts";
import type { PendingProblem } from "../../core/usage/deferred-usage.ts";

interface Rest {
  readonly problem: PendingProblem;
  readonly untilMs: number;
}

/** Where the provider names no time. */
const UNNAMED_REST_MS = 5_000;
const MAX_REST_MS = 3_600_000;

const ACCOUNT_WIDE: ReadonlySet<PendingProblem> = new Set<PendingProblem>([
  "rate_limited",
  "provider_failed",
  "unreachable",
]);

/**
 * Accounts whose provider has no time, or does not answer. Limits are an account's, and a provider that hangs would take
 * every turn from the others: while an account rests, none of its work is asked for.
 */
export class AccountRests {
  readonly #rests = new Map<ProviderAccountId | null, Rest>();

  note(
    accountId: ProviderAccountId | null,
    asked: { readonly problem: PendingProblem; readonly retryAfterMs: number | undefined },
    nowMs: number,
  ): void {
    if (!ACCOUNT_WIDE.has(asked.problem)) return;
    const forMs = Math.min(asked.retryAfterMs ?? UNNAMED_REST_MS, MAX_REST_MS);
    this.#rests.set(accountId, { problem: asked.problem, untilMs: nowMs + forMs });
  }

  /** Undefined when it may be asked. A rest that ends later than any can was begun before the clock stepped back. */
  restOf(
    accountId: ProviderAccountId | null,
    nowMs: number,
  ): { readonly problem: PendingProblem; readonly retryAfterMs: number } | undefined {
    const rest = this.#rests.get(accountId);
    if (rest === undefined) return undefined;
    const retryAfterMs = rest.untilMs - nowMs;
    if (retryAfterMs > 0 && retryAfterMs <= MAX_REST_MS) {
      return { problem: rest.problem, retryAfterMs };
    }
    this.#rests.delete(accountId);
    return undefined;
  }
}
