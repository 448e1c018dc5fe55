import { matchesModel, type ModelPattern } from "./model-pattern.ts";

/** The first rule that is for the model; undefined where none is. */
export function findRule<Rule extends { readonly pattern: ModelPattern }>(
  rules: readonly Rule[],
  model: string | null,
): Rule | undefined {
  for (const rule of rules) if (matchesModel(rule.pattern, model)) return rule;
  return undefined;
}

/** Null = any. */
interface RuleTarget<AccountId> {
  readonly provider: string | null;
  readonly accountId: AccountId | null;
}

/** Whether a rule lets calls go to a key of this account at this provider. */
export function isAllowedBy<AccountId>(
  rule: RuleTarget<AccountId>,
  key: RuleTarget<AccountId>,
): boolean {
  return (
    (rule.accountId === null || rule.accountId === key.accountId) &&
    (rule.provider === null || rule.provider === key.provider)
  );
}
