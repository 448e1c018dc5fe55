import { BudgetRules } from "../../../core/budgets/budget-rules.ts";
import type { BudgetRuleSource } from "../sql-engine.ts";
import { withIncreases } from "./budget-rows.ts";

const NO_RULES = new BudgetRules([]);
const FIRST_EPOCH = "";

/** Which budgets count the rows that a transaction adds to the ledger. One for each store, read when it has changed. */
export class RuleCache implements BudgetRuleSource {
  #epoch = FIRST_EPOCH;
  #rules = NO_RULES;

  async rulesIn({ db, engine }: Parameters<BudgetRuleSource["rulesIn"]>[0]): Promise<BudgetRules> {
    await engine.lockBudgetRules(db, "shared");
    const { epoch } = await db
      .selectFrom("budget_epoch")
      .select("epoch")
      .where("id", "=", 1n)
      .executeTakeFirstOrThrow();
    if (epoch !== this.#epoch) {
      const rows = await db
        .selectFrom("budgets")
        .selectAll()
        .where("archived_at_ms", "is", null)
        .execute();
      this.#rules = new BudgetRules(await withIncreases(db, rows));
      this.#epoch = epoch;
    }
    return this.#rules;
  }
}
