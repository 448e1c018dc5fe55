import type { components } from "../../admin/api-types.ts";
import { expectData } from "../../admin/client.ts";
import { BUDGET_MEASURES, ENFORCEMENTS, TIGHT_BUDGET_ACTIONS } from "../../core/budgets/budget.ts";
import { PERIODS } from "../../core/budgets/periods.ts";
import { SCOPE_KINDS } from "../../core/scopes/scope.ts";
import { counted } from "../../core/text/counted.ts";
import { defineCommand } from "../command.ts";
import { formatOptionalTime, formatTime, formatUsd } from "../format-cells.ts";
import { formatScope } from "../format-scope.ts";
import { given } from "../given.ts";
import { PAGE_OPTIONS, pageOf, printPage } from "../list-pages.ts";
import type { Output } from "../output.ts";
import type { Column } from "../table.ts";
import {
  archive,
  endIncrease,
  increase,
  pause,
  resume,
  setLimit,
  update,
} from "./budget-changes.ts";
import { describeBudget, formatIncrease, formatSpread, formatState } from "./format-budget.ts";

type Budget = components["schemas"]["Budget"];
type Window = components["schemas"]["BudgetWindow"];
type BudgetInput = components["schemas"]["BudgetInput"];

const SCOPE_OPTIONS = {
  scope: {
    value: "kind",
    description: "whose calls are counted",
    choices: SCOPE_KINDS,
    default: "organization",
    param: "scope.kind",
  },
  of: {
    value: "id",
    description:
      "which one: an id, a name, a customer's external id; without it each one by itself",
    param: "scope.id",
  },
} as const;

const create = defineCommand({
  summary: "limit what calls may cost in a period",
  details:
    "A hard budget is never exceeded: before a call is sent, the most that it can cost is set aside, and a call for which too little is left is refused. Without `--of` each one of the scope has the amount for itself.",
  examples: [
    "keyward budgets create --limit 500 --period month --timezone Europe/Berlin",
    "keyward budgets create --scope customer --limit 5 --period day --name 'each customer'",
    "keyward budgets create --scope environment --of development --limit 20 --period week --on-tight-budget clamp",
    "keyward budgets create --scope key --of key_01JZ6Y4V2S8W3N5R7T9X0B1C2D --limit 10 --period total --model 'gpt-4*'",
  ],
  reach: "admin",
  printsData: true,
  options: {
    ...SCOPE_OPTIONS,
    limit: {
      value: "usd",
      description: "of each period, in USD",
      isRequired: true,
      param: "limitUsd",
    },
    period: { value: "period", description: "how long", choices: PERIODS, isRequired: true },
    measure: {
      value: "word",
      description:
        "what is counted: cost, or the price that the customer is charged (the cost where there is none)",
      choices: BUDGET_MEASURES,
      default: "cost",
    },
    name: { value: "name", description: "for people" },
    timezone: { value: "zone", description: "in which periods begin, UTC without it" },
    anchor: { value: "time", description: "a local time from which periods are counted" },
    model: {
      value: "pattern",
      description: "count only calls for it; may be given again",
      isRepeatable: true,
      param: "models",
    },
    enforcement: {
      value: "word",
      description: "hard: never exceeded; soft: counted, and told of",
      choices: ENFORCEMENTS,
      default: "hard",
    },
    onTightBudget: {
      value: "word",
      description: "what becomes of a call for which too little is left",
      choices: TIGHT_BUDGET_ACTIONS,
      default: "refuse",
    },
    rollsOver: { description: "add what is left of a period to the next" },
  },
  async run({ admin, options, output }) {
    const { scope, of: id, limit, model, ...rest } = options;
    // The parser has checked the words against their choices.
    const body = {
      ...given(rest),
      scope: given({ kind: scope, id }),
      limitUsd: limit,
      ...(model.length > 0 && { models: model }),
    } as BudgetInput;
    const client = await admin();
    const budget = expectData(await client.POST("/budgets", { body }));
    await output.data(budget, () =>
      output.line(`created ${describeBudget(budget)} (${budget.id})`),
    );
  },
});

const SPREAD_COLUMN: Column<Budget> = {
  title: "each",
  value: ({ spread }) => formatSpread(spread),
};

const list = defineCommand({
  summary: "list budgets and how they stand, newest first",
  examples: [
    "keyward budgets list",
    "keyward budgets list --scope customer --of acme --json",
    "keyward budgets list --archived",
  ],
  reach: "admin",
  printsData: true,
  options: {
    ...PAGE_OPTIONS,
    scope: {
      value: "kind",
      description: "only those of this kind of scope",
      choices: SCOPE_KINDS,
      param: "scopeKind",
    },
    of: { value: "id", description: "only those of this one", param: "scopeId" },
    archived: { description: "also those that are archived" },
  },
  run: (context) => {
    const { scope, of: id, archived } = context.options;
    const filter = given({ scopeKind: scope as Budget["scope"]["kind"] | undefined, scopeId: id });
    return printPage(context, {
      what: "budgets",
      fetch: (client, page) =>
        client.GET("/budgets", {
          params: { query: { ...page, ...filter, archived: archived ? "true" : "false" } },
        }),
      columns: (items) => [
        { title: "for", value: formatScope },
        { title: "period", value: ({ period }) => period },
        {
          title: "limit",
          value: (one) => formatUsd(one.effectiveLimitUsd ?? one.limitUsd),
          isNumber: true,
        },
        { title: "spent", value: ({ spentUsd }) => formatUsd(spentUsd), isNumber: true },
        { title: "held", value: ({ heldUsd }) => formatUsd(heldUsd), isNumber: true },
        { title: "left", value: ({ remainingUsd }) => formatUsd(remainingUsd), isNumber: true },
        { title: "state", value: formatState },
        ...(items.some(({ spread }) => spread !== null) ? [SPREAD_COLUMN] : []),
        { title: "name", value: ({ name }) => name ?? "–" },
        { title: "id", value: ({ id: budgetId }) => budgetId },
      ],
    });
  },
});

const ID = { id: { description: "the budget's id" } } as const;

const show = defineCommand({
  summary: "show a budget and how it stands",
  examples: [
    "keyward budgets show bud_01JZ6Y4V2S8W3N5R7T9X0B1C2D",
    "keyward budgets show bud_01JZ6Y4V2S8W3N5R7T9X0B1C2D --each --limit 20",
  ],
  reach: "admin",
  printsData: true,
  arguments: ID,
  options: {
    ...PAGE_OPTIONS,
    each: { description: "and each customer, key, … of it, the fullest first" },
  },
  async run({ admin, arguments: { id }, options, output }) {
    const client = await admin();
    const budget = expectData(await client.GET("/budgets/{id}", { params: { path: { id } } }));
    if (!options.each) {
      await output.data(budget, () => printBudget(budget, output));
      return;
    }
    const query = { ...pageOf(options), order: "fullest" } as const;
    const params = { path: { id }, query };
    const windows = expectData(await client.GET("/budgets/{id}/windows", { params }));
    await output.data({ ...budget, windows }, async () => {
      printBudget(budget, output);
      if (windows.data.length === 0) output.note("no calls in this period");
      else await output.table(windows.data, WINDOW_COLUMNS);
      if (windows.nextCursor !== null) output.note(`more: --cursor ${windows.nextCursor}`);
    });
  },
});

function printBudget(budget: Budget, output: Output): void {
  const { windowStartsAt, windowEndsAt } = budget;
  output.facts([
    ["budget", `${budget.name ?? "–"} (${budget.id})`],
    ["for", formatScope(budget)],
    ["models", budget.models?.join(", ") ?? "all"],
    ["limit", `${formatUsd(budget.limitUsd)} of ${budget.measure} a ${budget.period}`],
    ["time zone", budget.timezone + (budget.anchor === null ? "" : `, from ${budget.anchor}`)],
    ["state", formatState(budget)],
    ...(windowStartsAt === null
      ? []
      : ([
          ["period", `${formatTime(windowStartsAt)} to ${formatOptionalTime(windowEndsAt)}`],
          ["limit now", formatUsd(budget.effectiveLimitUsd)],
          ["spent", formatUsd(budget.spentUsd)],
          ["held", formatUsd(budget.heldUsd)],
          ["of that lost", formatUsd(budget.lostUsd)],
          ["left", formatUsd(budget.remainingUsd)],
          ["refused", formatRefused(budget.refusedCalls)],
        ] as const)),
    ...(budget.spread === null ? [] : ([["each", formatSpread(budget.spread)]] as const)),
    ["on a tight budget", budget.onTightBudget],
    ["rolls over", budget.rollsOver ? "yes" : "no"],
    ...budget.increases.map((one) => ["raised by", `${formatIncrease(one)} (${one.id})`] as const),
  ]);
  if (windowStartsAt === null) {
    output.note(`each one has a period of its own: keyward budgets show ${budget.id} --each`);
  }
}

const WINDOW_COLUMNS: readonly Column<Window>[] = [
  { title: "of", value: (window) => (window.subject === "" ? "–" : window.subject) },
  { title: "from", value: ({ startsAt }) => formatTime(startsAt) },
  { title: "until", value: ({ endsAt }) => formatOptionalTime(endsAt) },
  { title: "limit", value: (one) => formatUsd(one.effectiveLimitUsd), isNumber: true },
  { title: "spent", value: ({ spentUsd }) => formatUsd(spentUsd), isNumber: true },
  { title: "held", value: ({ heldUsd }) => formatUsd(heldUsd), isNumber: true },
  { title: "lost", value: ({ lostUsd }) => formatUsd(lostUsd), isNumber: true },
  { title: "left", value: ({ remainingUsd }) => formatUsd(remainingUsd), isNumber: true },
  { title: "refused", value: ({ refusedCalls }) => String(refusedCalls), isNumber: true },
];

function formatRefused(calls: number | null): string {
  return counted(calls ?? 0, "call");
}

const history = defineCommand({
  summary: "list the periods of a budget, latest first",
  examples: [
    "keyward budgets history bud_01JZ6Y4V2S8W3N5R7T9X0B1C2D",
    "keyward budgets history bud_01JZ6Y4V2S8W3N5R7T9X0B1C2D --current",
    "keyward budgets history bud_01JZ6Y4V2S8W3N5R7T9X0B1C2D --of acme --json",
  ],
  reach: "admin",
  printsData: true,
  arguments: ID,
  options: {
    ...PAGE_OPTIONS,
    of: { value: "id", description: "only those of this customer, key, …", param: "subject" },
    current: { description: "only those of now" },
  },
  run: (context) => {
    const { of: subject, current } = context.options;
    const { id } = context.arguments;
    return printPage(context, {
      what: "periods with calls",
      fetch: (client, page) => {
        const query = {
          ...page,
          ...given({ subject }),
          current: current ? "true" : "false",
        } as const;
        return client.GET("/budgets/{id}/windows", { params: { path: { id }, query } });
      },
      columns: WINDOW_COLUMNS,
    });
  },
});

export const budgets = {
  create,
  list,
  show,
  "set-limit": setLimit,
  update,
  increase,
  "end-increase": endIncrease,
  pause,
  resume,
  history,
  archive,
};
