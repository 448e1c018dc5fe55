import { matchesModel, type ModelPattern, parseModelPattern } from "../routing/model-pattern.ts";
import { ScopeIndex } from "../scopes/scope-index.ts";
import type { Scope, ScopedCall } from "../scopes/scope.ts";
import type { Budget } from "./budget.ts";

interface Rule {
  readonly scope: Scope;
  readonly budget: Budget;
  /** Null: every call. */
  readonly patterns: readonly ModelPattern[] | null;
}

/** Which budgets count a call. */
export class BudgetRules {
  readonly #index: ScopeIndex<Rule>;

  constructor(budgets: Iterable<Budget>) {
    const rules = Array.from(budgets, (budget) => ({
      scope: budget.scope,
      budget,
      patterns: budget.models === null ? null : budget.models.flatMap(toPattern),
    }));
    this.#index = new ScopeIndex(rules);
  }

  get isEmpty(): boolean {
    return this.#index.isEmpty;
  }

  /** `model` is the requested one. */
  visit(
    call: ScopedCall,
    model: string | null,
    visitor: (budget: Budget, subject: string) => void,
  ): void {
    this.#index.visit(call, ({ budget, patterns }, subject) => {
      if (patterns === null || patterns.some((pattern) => matchesModel(pattern, model))) {
        visitor(budget, subject);
      }
    });
  }
}

function toPattern(text: string): readonly ModelPattern[] {
  const pattern = parseModelPattern(text);
  return pattern === undefined ? [] : [pattern];
}
