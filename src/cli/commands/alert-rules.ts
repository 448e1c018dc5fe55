import type { components } from "../../admin/api-types.ts";
import { expectData } from "../../admin/client.ts";
import { ALERT_PERIODS, type AlertPeriod } from "../../core/alerts/alert-period.ts";
import { ALERT_KIND_FACTS, ALERT_KINDS, type AlertKind } from "../../core/alerts/alert-rule.ts";
import { SCOPE_KINDS, type ScopeKind } from "../../core/scopes/scope.ts";
import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { formatTime } from "../format-cells.ts";
import { given } from "../given.ts";
import { parseChoice } from "../parse-choice.ts";
import { parseCount } from "../parse-count.ts";
import { agree } from "../prompts.ts";

type Rule = components["schemas"]["AlertRule"];

const ID = { id: { description: "the rule's name or id" } } as const;

const list = defineCommand({
  summary: "list alert rules",
  examples: ["keyward alert-rules list", "keyward alert-rules list --json"],
  reach: "admin",
  printsData: true,
  async run({ admin, output }) {
    const client = await admin();
    const answer = expectData(await client.GET("/alert-rules", {}));
    await output.data(answer, async () => {
      if (answer.data.length === 0) return output.note("no alert rules");
      await output.table(answer.data, [
        { title: "name", value: (rule) => rule.name },
        { title: "kind", value: (rule) => rule.kind },
        { title: "looks at", value: formatScope },
        { title: "settings", value: formatSettings },
        { title: "once a", value: (rule) => rule.repeat ?? "period of its own" },
        { title: "tells", value: formatTold },
        { title: "state", value: (rule) => (rule.isEnabled ? "on" : "off") },
        { title: "id", value: (rule) => rule.id },
      ]);
    });
  },
});

function formatScope({ scope }: Rule): string {
  if (scope === null) return "everything";
  if (scope.kind === "organization") return "the organization";
  return scope.id === null ? `each ${scope.kind}` : `${scope.kind} ${scope.name ?? scope.id}`;
}

/** Whom it tells. */
function formatTold({ channels }: Rule): string {
  if (channels === null) return "every channel";
  return channels.length === 0 ? "nobody" : channels.join(", ");
}

const show = defineCommand({
  summary: "show an alert rule: what it looks at, and whom it tells",
  examples: ["keyward alert-rules show 'Provider calls that fail'"],
  reach: "admin",
  printsData: true,
  arguments: ID,
  async run({ admin, arguments: { id }, output }) {
    const client = await admin();
    const rule = expectData(await client.GET("/alert-rules/{id}", { params: { path: { id } } }));
    await output.data(rule, () => {
      output.line(rule.name);
      output.facts([
        ["kind", rule.kind],
        ["fires when", ALERT_KIND_FACTS[rule.kind].summary],
        ["looks at", formatScope(rule)],
        ["settings", formatSettings(rule) || "none"],
        ["once a", rule.repeat ?? "period of its own"],
        ["tells", formatTold(rule)],
        ["state", rule.isEnabled ? "on" : "off"],
        ["since", `${formatTime(rule.createdAt)} UTC`],
        ["id", rule.id],
      ]);
    });
  },
});

function formatSettings({ settings }: Rule): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(", ");
}

const RULE_OPTIONS = {
  scope: {
    value: "kind",
    description: "what it looks at: each one by itself, or the one of --of",
    choices: SCOPE_KINDS,
  },
  of: { value: "name", description: "only this one of the scope's kind", param: "scope.id" },
  at: {
    value: "percent",
    description: "budget_threshold: a share of the limit; may be given several times",
    param: "settings.percentages",
    isRepeatable: true,
  },
  percent: {
    value: "percent",
    description: "error_rate, estimated_usage, account_limit_near: the share",
    param: "settings.percent",
  },
  minCalls: {
    value: "count",
    description: "error_rate, estimated_usage: calls that an hour must have",
    param: "settings.minCalls",
  },
  percentOfUsual: {
    value: "percent",
    description: "spend_spike: 300 = three times as much as usual",
    param: "settings.percentOfUsual",
  },
  minUsd: {
    value: "usd",
    description: "spend_spike: what an hour must have cost",
    param: "settings.minUsd",
  },
  afterPercent: {
    value: "percent",
    description: "budget_forecast: the share of the period that must have passed",
    param: "settings.afterPercent",
  },
  seconds: {
    value: "seconds",
    description: "provider_key_failing: how long without an end",
    param: "settings.seconds",
  },
  days: {
    value: "days",
    description: "provider_key_unused, provider_key_old",
    param: "settings.days",
  },
  daysBefore: {
    value: "days",
    description: "rotation_due: so many days before; 0: when it is due. May be given several times",
    param: "settings.daysBefore",
    isRepeatable: true,
  },
  repeat: {
    value: "period",
    description: "it fires once in such a period for one thing",
    choices: ALERT_PERIODS,
  },
  channel: {
    value: "name",
    description: "whom it tells; may be given several times. Without it every channel",
    param: "channels",
    isRepeatable: true,
  },
} as const;

interface RuleOptions {
  readonly scope: string | undefined;
  readonly of: string | undefined;
  readonly at: readonly string[];
  readonly percent: string | undefined;
  readonly minCalls: string | undefined;
  readonly percentOfUsual: string | undefined;
  readonly minUsd: string | undefined;
  readonly afterPercent: string | undefined;
  readonly seconds: string | undefined;
  readonly days: string | undefined;
  readonly daysBefore: readonly string[];
  readonly repeat: string | undefined;
  readonly channel: readonly string[];
}

function fieldsOf(options: RuleOptions) {
  const { scope, of, at, daysBefore, minUsd, repeat, channel } = options;
  if (of !== undefined && scope === undefined) {
    throw new CliError("--of needs --scope", { isUsage: true });
  }
  const count = (name: keyof RuleOptions, flag: string) => {
    const text = options[name];
    return typeof text === "string" ? parseCount(text, flag) : undefined;
  };
  const settings = given({
    percentages: at.length === 0 ? undefined : at.map((text) => parseCount(text, "--at")),
    percent: count("percent", "--percent"),
    minCalls: count("minCalls", "--min-calls"),
    percentOfUsual: count("percentOfUsual", "--percent-of-usual"),
    afterPercent: count("afterPercent", "--after-percent"),
    seconds: count("seconds", "--seconds"),
    days: count("days", "--days"),
    daysBefore:
      daysBefore.length === 0
        ? undefined
        : daysBefore.map((text) => parseCount(text, "--days-before")),
    minUsd,
  });
  return given({
    scope:
      scope === undefined
        ? undefined
        : { kind: parseChoice(scope, isScopeKind, "--scope"), ...given({ id: of }) },
    settings: Object.keys(settings).length === 0 ? undefined : settings,
    repeat: repeat === undefined ? undefined : parseChoice(repeat, isPeriod, "--repeat"),
    channels: channel.length === 0 ? undefined : [...channel],
  });
}

const create = defineCommand({
  summary: "add a rule that fires alerts",
  examples: [
    "keyward alert-rules create --name 'Customers at 90 %' --kind budget_threshold --scope customer --at 90 --channel ops",
    "keyward alert-rules create --name 'Production fails' --kind error_rate --scope environment --of production --percent 5 --repeat hour",
  ],
  reach: "admin",
  printsData: true,
  options: {
    name: { value: "name", description: "for people", isRequired: true },
    kind: {
      value: "kind",
      description: "what it watches for",
      choices: ALERT_KINDS,
      isRequired: true,
    },
    ...RULE_OPTIONS,
  },
  async run({ admin, options, output }) {
    const { name } = options;
    const kind = parseChoice(options.kind, isKind, "--kind");
    const client = await admin();
    const body = { name, kind, ...fieldsOf(options) };
    const rule = expectData(await client.POST("/alert-rules", { body }));
    await output.data(rule, () => {
      output.line(`added ${rule.name}: ${rule.kind} for ${formatScope(rule)} (${rule.id})`);
    });
  },
});

const update = defineCommand({
  summary: "change an alert rule, or turn it off and on",
  details: "What is not named stays as it is.",
  examples: [
    "keyward alert-rules update 'Spending out of the usual' --off",
    "keyward alert-rules update 'Budgets at 50, 80 and 100 %' --at 75 --at 90 --at 100",
  ],
  reach: "admin",
  printsData: true,
  arguments: ID,
  options: {
    name: { value: "name", description: "another name" },
    ...RULE_OPTIONS,
    on: { description: "look at it" },
    off: { description: "leave it alone" },
  },
  async run({ admin, arguments: { id }, options, output }) {
    const { name, on, off } = options;
    if (on && off) throw new CliError("--on and --off exclude each other", { isUsage: true });
    const isEnabled = on ? true : off ? false : undefined;
    const body = { ...given({ name, isEnabled }), ...fieldsOf(options) };
    if (Object.keys(body).length === 0) {
      throw new CliError("nothing to change was named", { isUsage: true });
    }
    const client = await admin();
    const params = { path: { id } };
    const rule = expectData(await client.PATCH("/alert-rules/{id}", { params, body }));
    await output.data(rule, () => {
      const state = rule.isEnabled ? "on" : "off";
      output.line(`${rule.name} is ${state}: ${formatSettings(rule)} (${rule.id})`);
    });
  },
});

const remove = defineCommand({
  summary: "remove an alert rule; what it fired stays in the history",
  examples: ["keyward alert-rules remove 'Old provider keys' --yes"],
  reach: "admin",
  printsData: true,
  arguments: ID,
  options: { yes: { description: "do not ask" } },
  async run({ admin, arguments: { id }, io, options, output }) {
    const client = await admin();
    const params = { path: { id } };
    const rule = expectData(await client.GET("/alert-rules/{id}", { params }));
    await agree({ io, isAgreed: options.yes }, `Remove ${rule.name}?`);
    const removed = expectData(await client.DELETE("/alert-rules/{id}", { params }));
    await output.data(removed, () => output.line(`removed ${rule.name} (${rule.id})`));
  },
});

function isKind(word: string): word is AlertKind {
  return (ALERT_KINDS as readonly string[]).includes(word);
}

function isScopeKind(word: string): word is ScopeKind {
  return (SCOPE_KINDS as readonly string[]).includes(word);
}

function isPeriod(word: string): word is AlertPeriod {
  return (ALERT_PERIODS as readonly string[]).includes(word);
}

export const alertRules = { list, show, create, update, remove };
