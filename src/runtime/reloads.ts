import type { OverridablePriceBook } from "../core/pricing/overridable-price-book.ts";
import type { HoldBook } from "../ledger/holds.ts";
import type { SharedLimits } from "../ledger/limits/shared-limits.ts";
import type { ClientTokenBook } from "../proxy/client-token-book.ts";
import { listAll } from "../store/list-all.ts";
import { loadPriceOverrides } from "../store/load-price-overrides.ts";
import type { Store } from "../store/store.ts";
import type { Vault } from "../vault/vault.ts";
import { NewestLoad } from "./newest-load.ts";
import { readClientTokenFacts } from "./read-client-token-facts.ts";
import { listChangedLimits } from "./start-limits.ts";

export interface ReloadsDeps {
  readonly store: Pick<
    Store,
    "budgets" | "changes" | "environments" | "exposure" | "limits" | "priceOverrides"
  >;
  readonly vault: Pick<Vault, "hasher">;
  readonly priceBook: Pick<OverridablePriceBook, "replaceOverrides">;
  readonly limits: Pick<SharedLimits, "apply">;
  readonly holds: Pick<HoldBook, "replaceBudgets">;
  readonly clientTokens: Pick<ClientTokenBook, "replace">;
}

interface Change {
  readonly kind: string;
  readonly entityId: string;
}

/** A new environment has a signing key, too. */
const KINDS_OF_TOKENS: ReadonlySet<string> = new Set(["clientToken", "environment"]);

/**
 * Brings up to date what a process keeps of the store in memory, whole, beside keys and ways. Loads may overlap, and what
 * is older never comes last; overrides of prices see to that themselves, by the change log.
 */
export class Reloads {
  readonly #deps: ReloadsDeps;
  readonly #limits = new NewestLoad();
  readonly #budgets = new NewestLoad();
  readonly #clientTokens = new NewestLoad();

  constructor(deps: ReloadsDeps) {
    this.#deps = deps;
  }

  /** Before the first call. Changes from before this is called on must come to `after` later. */
  async all(): Promise<void> {
    const { store, limits } = this.#deps;
    await loadPriceOverrides(this.#deps);
    await this.#limits.run(
      () => listAll((page) => store.limits.list(page)),
      (found) =>
        limits.apply(
          found.map(({ id }) => id),
          found,
        ),
    );
    await this.#loadBudgets();
    await this.#loadClientTokens();
  }

  /** What these changes are about. Where it rejects, they must come again, with all that came since. */
  async after(changes: readonly Change[]): Promise<void> {
    const { store, limits } = this.#deps;
    if (changes.some(({ kind }) => kind === "priceOverride")) await loadPriceOverrides(this.#deps);
    if (changes.some(({ kind }) => kind === "limit")) {
      await this.#limits.run(
        () => listChangedLimits(store, changes),
        ({ ids, found }) => limits.apply(ids, found),
      );
    }
    if (changes.some(({ kind }) => kind === "budget")) await this.#loadBudgets();
    if (changes.some(({ kind }) => KINDS_OF_TOKENS.has(kind))) await this.#loadClientTokens();
  }

  async #loadBudgets(): Promise<void> {
    const { store, holds } = this.#deps;
    await this.#budgets.run(
      () => store.budgets.listActive(),
      (budgets) => holds.replaceBudgets(budgets),
    );
  }

  async #loadClientTokens(): Promise<void> {
    const { clientTokens } = this.#deps;
    await this.#clientTokens.run(
      () => readClientTokenFacts(this.#deps),
      (facts) => clientTokens.replace(facts),
    );
  }
}
