import type { components } from "../../admin/api-types.ts";
import { type AdminClient, expectData } from "../../admin/client.ts";
import { counted } from "../../core/text/counted.ts";
import { SUMMARY_DIMENSIONS, type SummaryDimension as Dimension } from "../../store/store.ts";
import { defineCommand } from "../command.ts";
import { formatCount, formatTime, formatUsd } from "../format-cells.ts";
import { PAGE_OPTIONS, pageOf } from "../list-pages.ts";
import type { Output } from "../output.ts";
import type { Column } from "../table.ts";
import { SCOPE_OPTIONS, scopeOf } from "../usage-options.ts";

type Row = components["schemas"]["UsageSummaryRow"];

export const usageSummary = defineCommand({
  summary: "sum calls, tokens and money by any dimensions",
  details: `Dimensions: ${SUMMARY_DIMENSIONS.join(", ")}; hour or day, not both, in UTC. The last row is the total of all rows, those of other pages included. Sums are kept by the hour: --from counts from the full hour before it, --to up to the full hour after it.`,
  examples: [
    "keyward usage summary",
    "keyward usage summary --by customer,model --from 7d",
    "keyward usage summary --by day --environment production --from 2026-01-01 --to 2026-02-01 --json",
  ],
  reach: "admin",
  printsData: true,
  options: {
    by: {
      value: "dimensions",
      description: "with commas between; else one row, the total",
      param: "groupBy",
    },
    ...SCOPE_OPTIONS,
    ...PAGE_OPTIONS,
  },
  async run(context) {
    const { admin, options, output } = context;
    const scope = scopeOf(context);
    const page = pageOf(options);
    const client = await admin();
    const total = await readTotal(client, scope);
    const groupBy = options.by;
    if (groupBy === undefined) {
      const answer = { data: [total], nextCursor: null, total };
      return output.data(answer, async () => {
        await printRows(output, { rows: [total], by: [] });
        noteUnknownCost(output, total);
      });
    }
    const query = { ...scope, ...page, groupBy };
    const rows = expectData(await client.GET("/usage/summary", { params: { query } }));
    return output.data({ ...rows, total }, async () => {
      if (rows.data.length === 0) output.note("no calls");
      else {
        await printRows(output, { rows: rows.data, by: dimensionsOf(groupBy), total });
        noteUnknownCost(output, total);
      }
      if (rows.nextCursor !== null) output.note(`more: --cursor ${rows.nextCursor}`);
    });
  },
});

/** In the order in which they were typed; what is none of them the server has refused. */
function dimensionsOf(groupBy: string): readonly Dimension[] {
  return groupBy
    .split(",")
    .flatMap((word) => SUMMARY_DIMENSIONS.find((one) => one === word.trim()) ?? []);
}

async function readTotal(client: AdminClient, scope: ReturnType<typeof scopeOf>): Promise<Row> {
  const query = { ...scope, limit: 1 };
  const { data } = expectData(await client.GET("/usage/summary", { params: { query } }));
  const [total] = data;
  if (total === undefined) throw new Error("a summary without dimensions has one row, always");
  return total;
}

async function printRows(
  output: Output,
  { rows, by, total }: { rows: readonly Row[]; by: readonly Dimension[]; total?: Row },
) {
  const [first] = rows;
  const groups = by.filter((name) => first !== undefined && name in first);
  const sum = total ?? first;
  const columns: Column<Row>[] = [
    ...groups.map((name) => ({ title: name, value: (row: Row) => formatGroup(row, name) })),
    ...COLUMNS.filter(({ isShown }) => sum === undefined || isShown(sum)),
  ];
  const last = columns.map(({ value }, index) => {
    if (index >= groups.length) return sum === undefined ? "" : value(sum);
    return index === 0 ? "total" : "";
  });
  await output.table(rows, columns, total === undefined ? undefined : last);
}

/** The exact cost, `≥ $0.000315` where some of the calls have none, or why none of them has one. */
function formatCost({ costUsd, unpricedCalls, usageUnknownCalls, unmeteredCalls }: Row): string {
  if (costUsd === null) {
    if (unpricedCalls > 0) return "unpriced";
    return usageUnknownCalls > 0 ? "unknown" : "unmetered";
  }
  // What was set aside for a call is the most that it can have cost, and not all of them have that.
  if (usageUnknownCalls > 0) return `~ ${formatUsd(costUsd)}`;
  const isWhole = unpricedCalls + unmeteredCalls === 0;
  return isWhole ? formatUsd(costUsd) : `≥ ${formatUsd(costUsd)}`;
}

function noteUnknownCost(
  output: Output,
  { unpricedCalls, usageUnknownCalls, unmeteredCalls }: Row,
): void {
  if (usageUnknownCalls > 0) {
    output.note(
      `not known what ${counted(usageUnknownCalls, "call")} consumed: in the cost is what a budget had set aside, if one had`,
    );
  }
  const parts: string[] = [];
  if (unpricedCalls > 0) parts.push(`${counted(unpricedCalls, "call")} without a known price`);
  if (unmeteredCalls > 0) {
    parts.push(`${counted(unmeteredCalls, "call")} to endpoints whose usage is not read`);
  }
  if (parts.length > 0) output.note(`not in the cost: ${parts.join(", ")}`);
}

function formatGroup(row: Row, name: Dimension): string {
  const value = row[name];
  if (value === undefined || value === null) return "–";
  return name === "hour" ? formatTime(value).slice(0, "2026-01-31 09:00".length) : value;
}

const count = (title: string, name: CountName, isShown = (row: Row) => row[name] > 0) => ({
  title,
  value: (row: Row) => formatCount(row[name]),
  isNumber: true,
  isShown,
});
type CountName = {
  [Name in keyof Row]-?: Row[Name] extends number ? Name : never;
}[keyof Row];
const always = (): boolean => true;

/** Columns of what is rare are there only when there is some of it. */
const COLUMNS: readonly (Column<Row> & { readonly isShown: (total: Row) => boolean })[] = [
  count("calls", "calls", always),
  count("failed", "failedCalls"),
  count("interrupted", "interruptedCalls"),
  count("unknown", "unknownCalls"),
  count("estimated", "estimatedCalls"),
  count("input", "inputTokens", always),
  count("cached", "cachedInputTokens"),
  count("output", "outputTokens", always),
  count("reasoning", "reasoningOutputTokens"),
  count("unmetered", "unmeteredCalls"),
  count("unpriced", "unpricedCalls"),
  count("usage unknown", "usageUnknownCalls"),
  { title: "cost", value: formatCost, isNumber: true, isShown: always },
  {
    title: "price",
    value: (row) => formatUsd(row.priceUsd),
    isNumber: true,
    isShown: (row) => row.priceUsd !== "0",
  },
];
