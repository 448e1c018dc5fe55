/**
 * What an alert says, once for every channel and for the history: a title, figures, and what to do next. Names in it are
 * as customers and callers chose them: whoever shows them escapes them for where they stand.
 */
import { formatUsd, type Picos } from "../money/picos.ts";
import { counted } from "../text/counted.ts";
import type { AlertSeverity } from "./alert-rule.ts";
import { percentSpent } from "./budget-watch.ts";
import { formatDollars } from "./format-dollars.ts";
import { isoInstant } from "./iso-instant.ts";
import { percentOf } from "./shares.ts";

/** For programs: money as decimal strings in USD, instants in ISO 8601, names as in the admin API. */
export type AlertFigures = Readonly<Record<string, string | number>>;

export interface AlertFact {
  readonly label: string;
  readonly value: string;
  /** What the value is made of. */
  readonly figures?: AlertFigures;
}

/** The figures of all facts. */
export function figuresOf(facts: readonly AlertFact[]): AlertFigures {
  return Object.assign({}, ...facts.map(({ figures }) => figures)) as AlertFigures;
}

export interface AlertContent {
  readonly severity: AlertSeverity;
  readonly title: string;
  readonly facts: readonly AlertFact[];
  /** A command of Keyward's that shows more, or mends it. */
  readonly command: string;
}

export interface BudgetFacts {
  readonly id: string;
  readonly name: string;
  /** Whose it is: `customer acme`; null for the organization's. */
  readonly whose: string | null;
  readonly isHard: boolean;
  readonly spentPicos: Picos;
  readonly limitPicos: Picos;
  readonly heldPicos: Picos;
  readonly refusedCalls: number;
  readonly endsAtMs: number | null;
}

/** `formatTime`: of milliseconds since the epoch, for people. */
export type FormatTime = (ms: number) => string;

export function describeThreshold(
  budget: BudgetFacts,
  percent: number,
  formatTime: FormatTime,
): AlertContent {
  return {
    severity: percent >= 100 ? "critical" : "warning",
    title: `Budget ${nameOf(budget)} ${standingOf(budget, percent)}`,
    facts: [
      ...budgetFacts(budget, formatTime),
      { label: "threshold", value: `${percent} %`, figures: { thresholdPercent: percent } },
    ],
    command: `keyward budgets show ${budget.id}`,
  };
}

/** Of what the rule asks for: that all is used up is said by the rule that watches for it. */
function standingOf({ spentPicos, limitPicos }: BudgetFacts, percent: number): string {
  const share = `${percentSpent(spentPicos, limitPicos)} %`;
  if (spentPicos < limitPicos) return `is at ${share}`;
  return percent >= 100 ? `is used up (${share})` : `has passed ${percent} % (${share})`;
}

/** Of a hard budget of which less is left than a call may cost: it is as good as used up. */
export function describeRefusing(budget: BudgetFacts, formatTime: FormatTime): AlertContent {
  const { spentPicos, limitPicos, heldPicos, refusedCalls, endsAtMs } = budget;
  const spent = `${formatDollars(spentPicos)} of ${formatDollars(limitPicos)}`;
  const held = formatDollars(heldPicos);
  return {
    severity: "critical",
    title: `Budget ${nameOf(budget)} refuses calls: ${spent} spent, ${held} held`,
    facts: [
      { label: "spent", value: spent, figures: spentFigures(budget) },
      { label: "held for calls", value: held, figures: { heldUsd: formatUsd(heldPicos) } },
      { label: "calls refused so far", value: String(refusedCalls), figures: { refusedCalls } },
      { label: "why", value: "a call may cost more than is left" },
      ...periodFacts(endsAtMs, formatTime),
    ],
    command: `keyward budgets show ${budget.id}`,
  };
}

function periodFacts(endsAtMs: number | null, formatTime: FormatTime): readonly AlertFact[] {
  if (endsAtMs === null) return [];
  const figures = { periodEndsAt: isoInstant(endsAtMs) };
  return [{ label: "period ends", value: formatTime(endsAtMs), figures }];
}

function spentFigures({ id, spentPicos, limitPicos }: BudgetFacts): AlertFigures {
  return {
    budgetId: id,
    spentUsd: formatUsd(spentPicos),
    limitUsd: formatUsd(limitPicos),
    percent: Number(percentSpent(spentPicos, limitPicos)),
  };
}

export function describeForecast(
  budget: BudgetFacts,
  forecast: { readonly atEndPicos: Picos; readonly exceedsAtMs: number },
  formatTime: FormatTime,
): AlertContent {
  return {
    severity: "warning",
    title: `Budget ${nameOf(budget)} will not last until the end of its period`,
    facts: [
      ...budgetFacts(budget, formatTime),
      {
        label: "used up by",
        value: formatTime(forecast.exceedsAtMs),
        figures: { usedUpAt: isoInstant(forecast.exceedsAtMs) },
      },
      {
        label: "at its end at this pace",
        value: formatDollars(forecast.atEndPicos),
        figures: { atEndUsd: formatUsd(forecast.atEndPicos) },
      },
    ],
    command: `keyward budgets show ${budget.id}`,
  };
}

function nameOf({ name, whose }: BudgetFacts): string {
  return whose === null ? name : `${name} of ${whose}`;
}

function budgetFacts(budget: BudgetFacts, formatTime: FormatTime): readonly AlertFact[] {
  const { spentPicos, limitPicos, endsAtMs, isHard } = budget;
  return [
    {
      label: "spent",
      value: `${formatDollars(spentPicos)} of ${formatDollars(limitPicos)}`,
      figures: spentFigures(budget),
    },
    {
      label: "once it is used up",
      value: isHard ? "calls are refused" : "calls go on (the budget is soft)",
    },
    ...periodFacts(endsAtMs, formatTime),
  ];
}

export function describeSpike(
  whose: string,
  hour: { readonly spentPicos: Picos; readonly usualPicos: Picos; readonly hourMs: number },
  formatTime: FormatTime,
): AlertContent {
  const { spentPicos, usualPicos, hourMs } = hour;
  return {
    severity: "warning",
    title: `Spending of ${whose} is out of the usual`,
    facts: [
      {
        label: "spent in the hour",
        value: formatDollars(spentPicos),
        figures: { spentUsd: formatUsd(spentPicos) },
      },
      {
        label: "usual for that hour",
        value: formatDollars(usualPicos),
        figures: { usualUsd: formatUsd(usualPicos) },
      },
      hourFact(hourMs, formatTime),
    ],
    command: `keyward usage summary --by hour,model --from ${formatTime(hourMs).slice(0, 10)}`,
  };
}

function hourFact(hourMs: number, formatTime: FormatTime): AlertFact {
  return { label: "hour from", value: formatTime(hourMs), figures: { hour: isoInstant(hourMs) } };
}

export interface HourOfCalls {
  readonly hourMs: number;
  readonly calls: number;
  /** Those that the alert is about. */
  readonly affected: number;
}

export function describeErrorRate(
  whose: string,
  hour: HourOfCalls,
  formatTime: FormatTime,
): AlertContent {
  const { calls, affected, hourMs } = hour;
  return {
    severity: "critical",
    title: `${percentOf(affected, calls)} % of the provider calls of ${whose} fail`,
    facts: [
      {
        label: "failed",
        value: `${affected} of ${counted(calls, "call")}`,
        figures: { failedCalls: affected, calls, percent: percentOf(affected, calls) },
      },
      hourFact(hourMs, formatTime),
    ],
    command: "keyward usage events --status failed",
  };
}

export function describeEstimated(
  whose: string,
  hour: HourOfCalls,
  formatTime: FormatTime,
): AlertContent {
  const { calls, affected, hourMs } = hour;
  return {
    severity: "info",
    title: `The usage of ${percentOf(affected, calls)} % of the calls of ${whose} is no provider's figure`,
    facts: [
      {
        label: "estimated or unknown",
        value: `${affected} of ${counted(calls, "call")}`,
        figures: { unreportedCalls: affected, calls, percent: percentOf(affected, calls) },
      },
      hourFact(hourMs, formatTime),
    ],
    command: "keyward usage events --wide",
  };
}

export function describeUnpriced(
  model: string,
  day: { readonly calls: number; readonly environment: string | null },
): AlertContent {
  const { calls, environment } = day;
  return {
    severity: "warning",
    title: `Model ${model} has no price: what it costs is not known`,
    facts: [
      { label: "calls without a price", value: String(calls), figures: { unpricedCalls: calls } },
      ...(environment === null
        ? []
        : [{ label: "environment", value: environment, figures: { environment } }]),
    ],
    command: "keyward prices override --help",
  };
}

/** Of one gateway key, by rule: calls that were refused, and calls that passed because the rule only warns. */
export function describeBrokenRules(
  key: string,
  id: string,
  broken: readonly { readonly rule: string; readonly refused: number; readonly passed: number }[],
): AlertContent {
  const isInBrowser = broken.some(({ rule }) => rule === "no_browser_calls");
  return {
    severity: isInBrowser ? "critical" : "warning",
    title: isInBrowser
      ? `A browser sent the ${key}: everybody who opens the page can read it`
      : `Calls with the ${key} broke the policy of its environment`,
    facts: broken.map(({ rule, refused, passed }) => ({
      label: rule,
      value: `${counted(refused, "call")} refused, ${passed} passed`,
    })),
    command: isInBrowser ? `keyward keys rotate ${id} --overlap 0` : `keyward keys show ${id}`,
  };
}

export interface ProviderKeyFacts {
  readonly id: string;
  readonly name: string;
  readonly preview: string;
  readonly environment: string;
  readonly account: string;
  readonly accountId: string;
}

/** What is said of a key in every alert about one. */
export function describeKey(key: ProviderKeyFacts): readonly AlertFact[] {
  const { id, preview, environment, account, accountId } = key;
  return [
    { label: "environment", value: environment, figures: { environment } },
    { label: "account", value: account, figures: { accountId, account } },
    { label: "key", value: preview, figures: { providerKeyId: id } },
  ];
}

export type KeyTrouble = "refused" | "out_of_money" | "failing";

const TROUBLES: Readonly<Record<KeyTrouble, string>> = {
  refused: "is refused by its provider",
  out_of_money: "cannot be used: its account has no money left",
  failing: "fails again and again",
};

export function describeFailingKey(key: ProviderKeyFacts, trouble: KeyTrouble): AlertContent {
  return {
    severity: "critical",
    title: `Provider key ${key.name} of ${key.environment} ${TROUBLES[trouble]}`,
    facts: describeKey(key),
    command: `keyward provider-keys list --environment ${key.environment}`,
  };
}

export function describeUnusedKey(key: ProviderKeyFacts, days: number): AlertContent {
  return {
    severity: "info",
    title: `Provider key ${key.name} of ${key.environment} has not been used for ${counted(days, "day")}`,
    facts: describeKey(key),
    command: `keyward provider-keys revoke ${key.id}`,
  };
}

export function describeOldKey(key: ProviderKeyFacts, days: number): AlertContent {
  return {
    severity: "info",
    title: `Provider key ${key.name} of ${key.environment} is ${counted(days, "day")} old`,
    facts: describeKey(key),
    command: `keyward provider-keys rotate ${key.id}`,
  };
}

/** `isAutomatic`: the provider is asked for the new secret; else a person has to bring it. */
export function describeDueRotation(
  key: ProviderKeyFacts,
  due: { readonly dueMs: number; readonly daysLeft: number; readonly isAutomatic: boolean },
  formatTime: FormatTime,
): AlertContent {
  const { dueMs, daysLeft, isAutomatic } = due;
  const when =
    daysLeft <= 0 ? "is due" : `is due in ${daysLeft === 1 ? "a day" : counted(daysLeft, "day")}`;
  const needs = isAutomatic ? "" : ", and it needs a new secret of you";
  return {
    severity: isAutomatic ? "info" : "warning",
    title: `The rotation of provider key ${key.name} of ${key.environment} ${when}${needs}`,
    facts: [
      ...describeKey(key),
      { label: "due", value: formatTime(dueMs) },
      {
        label: "new secret",
        value: isAutomatic
          ? "the provider is asked for it"
          : "make one at the provider, and bring it",
      },
    ],
    command: isAutomatic
      ? `keyward provider-keys show ${key.id}`
      : `keyward provider-keys rotate ${key.id}`,
  };
}

export function describeAccountLimit(
  { id, name }: { readonly id: string; readonly name: string },
  limit: {
    readonly what: string;
    readonly limit: number;
    readonly used: number;
    /** Of what is used, or of what was asked for if that is more. */
    readonly percent: number;
    readonly peak: { readonly amount: number; readonly minuteMs: number } | null;
  },
  formatTime: FormatTime,
): AlertContent {
  const { what, used, percent, peak } = limit;
  const isAskedFor = peak !== null && peak.amount > used;
  const state = isAskedFor ? "was asked for" : "is at";
  return {
    severity: "warning",
    title: `Account ${name} ${state} ${percent} % of its provider's limit`,
    facts: [
      {
        label: what,
        value: `${percent} % of ${limit.limit}`,
        figures: { accountId: id, percent, limit: limit.limit },
      },
      { label: "used now", value: String(used), figures: { used } },
      ...(peak === null
        ? []
        : [
            {
              label: "asked for in a minute, calls that waited included",
              value: `${peak.amount} (${formatTime(peak.minuteMs)})`,
              figures: { askedFor: peak.amount, minute: isoInstant(peak.minuteMs) },
            },
          ]),
    ],
    command: `keyward provider-accounts limits ${id}`,
  };
}
