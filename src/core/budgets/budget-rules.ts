import { meansModel, type ModelPattern, parseModelPattern } from "../routing/model-pattern.ts";
import { CallMemo } from "../scopes/call-memo.ts";
import { ScopeIndex } from "../scopes/scope-index.ts";
import type { Scope, ScopedCall } from "../scopes/scope.ts";
import { type Budget, type WindowKey, windowIdOf } from "./budget.ts";
import { windowAt } from "./periods.ts";

interface Rule {
  readonly scope: Scope;
  readonly budget: Budget;
  readonly isForModel: ModelTest;
}

/** Whether a budget counts calls that ask for a model. */
type ModelTest = (model: string | null) => boolean;

export interface CountedWindow extends WindowKey {
  /** As `windowIdOf` gives it. */
  readonly id: string;
}

/** The windows that count a call, one of each budget. */
export type CountedWindows = readonly CountedWindow[];

interface Found {
  readonly windows: CountedWindows;
  /** While all of the windows last. */
  readonly fromMs: number;
  readonly untilMs: number;
}

const NO_WINDOWS: CountedWindows = [];

/** Which budgets count a call. */
export class BudgetRules {
  readonly #index: ScopeIndex<Rule>;
  readonly #memo = new CallMemo<Found>();

  constructor(budgets: Iterable<Budget>) {
    const rules = Array.from(budgets, (budget) => ({
      scope: budget.scope,
      budget,
      isForModel: modelTestOf(budget),
    }));
    this.#index = new ScopeIndex(rules);
  }

  get isEmpty(): boolean {
    return this.#index.isEmpty;
  }

  /**
   * `model` is the requested one, `atMs` when the call began. Mostly the very same list as for the last call of its kind:
   * whoever finds one list twice knows that nothing is different.
   */
  windowsOf(call: ScopedCall, model: string | null, atMs: number): CountedWindows {
    if (this.isEmpty) return NO_WINDOWS;
    const known = this.#memo.get(call, model);
    if (known !== undefined && atMs >= known.fromMs && atMs < known.untilMs) return known.windows;
    const found = this.#find(call, model, atMs);
    this.#memo.set(call, model, found);
    return found.windows;
  }

  #find(call: ScopedCall, model: string | null, atMs: number): Found {
    const windows: CountedWindow[] = [];
    let fromMs = Number.NEGATIVE_INFINITY;
    let untilMs = Number.POSITIVE_INFINITY;
    this.#index.visit(call, ({ budget, isForModel }, subject) => {
      if (!isForModel(model)) return;
      const window = windowAt(budget, atMs);
      const key = { budget, subject, window };
      windows.push({ ...key, id: windowIdOf(key) });
      fromMs = Math.max(fromMs, window.startsAtMs);
      untilMs = Math.min(untilMs, window.endsAtMs ?? untilMs);
    });
    return { windows, fromMs, untilMs };
  }
}

export function modelTestOf({ models }: Pick<Budget, "models">): ModelTest {
  if (models === null) return () => true;
  const patterns = models.flatMap(toPattern);
  return (model) => patterns.some((pattern) => meansModel(pattern, model));
}

function toPattern(text: string): readonly ModelPattern[] {
  const pattern = parseModelPattern(text);
  return pattern === undefined ? [] : [pattern];
}
