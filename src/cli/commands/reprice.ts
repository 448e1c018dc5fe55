import type { components } from "../../admin/api-types.ts";
import { type AdminClient, expectData } from "../../admin/client.ts";
import { formatUsd as formatAmount, parseUsd, picos, ZERO_PICOS } from "../../core/money/picos.ts";
import { counted } from "../../core/text/counted.ts";
import { defineCommand } from "../command.ts";
import { formatCount, formatOptional, formatTime, formatUsd } from "../format-cells.ts";
import { given } from "../given.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";
import { parseWhen } from "../parse-when.ts";
import { agree } from "../prompts.ts";

/** A long run says how far it is each time it has examined so many more. */
const EVENTS_A_REMARK = 10_000;

export const reprice = defineCommand({
  summary: "price past calls again, with today's prices",
  details:
    "By the row that was valid when each call began. Usage events never change: each difference becomes a correction that refers to its event and is part of every sum from then on. A run that broke off is repeated; what it has corrected is then as it should be. Without --yes a dry run comes first, and asks.",
  examples: [
    "keyward prices reprice --from 2026-11-01 --to 2026-12-01 --dry-run",
    "keyward prices reprice --from 30d --model gpt-4o-mini",
    "keyward prices reprice --from 2026-11-01 --yes --json",
  ],
  reach: "admin",
  printsData: true,
  options: {
    from: { value: "when", description: "calls that began then or later", isRequired: true },
    to: { value: "when", description: "calls that began before", default: "now" },
    model: { value: "model", description: "only this model's" },
    customer: { value: "id", description: "only this customer's" },
    environment: { value: "name", description: "only in this environment" },
    dryRun: { description: "say what would be, change nothing" },
    yes: { description: "do not ask" },
  },
  async run({ admin, io, options, output }) {
    const { model, customer, environment } = options;
    const when = (text: string, flag: string) =>
      parseWhen(text, { nowMs: io.nowMs(), flag, direction: "ago" });
    const scope = {
      from: when(options.from, "--from"),
      to: when(options.to, "--to"),
      ...given({ model, customer, environment }),
    };
    const client = await admin();
    const pass = (dryRun: boolean) =>
      repriceAll(client, { ...scope, dryRun }, (text) => output.note(text));
    if (!options.dryRun && !options.yes) {
      const expected = await pass(true);
      if (expected.corrected > 0) {
        output.note(`${describe(expected)}: ${formatUsd(expected.differenceUsd)}`);
        await agree({ io, isAgreed: false }, "Write these corrections?", "add --yes, or --dry-run");
      }
    }
    const totals = await pass(options.dryRun);
    await output.data({ ...scope, dryRun: options.dryRun, ...totals }, () => {
      output.facts([
        ["examined", formatCount(totals.examined)],
        [options.dryRun ? "would be corrected" : "corrected", formatCount(totals.corrected)],
        ["  had no price before", formatCount(totals.newlyPriced)],
        ["cost what they did", formatCount(totals.unchanged)],
        ["have no price", formatCount(totals.withoutPrice)],
        ["free, not metered or unknown", formatCount(totals.notPriceable)],
        ["difference", formatUsd(totals.differenceUsd)],
      ]);
    });
  },
});

export const corrections = defineCommand({
  summary: "list corrections of costs, newest first",
  examples: [
    "keyward prices corrections",
    "keyward prices corrections --event evt_01JZ6Y4V2S8W3N5R7T9X0B1C2D --json",
  ],
  reach: "admin",
  printsData: true,
  options: {
    event: { value: "id", description: "only of this usage event" },
    ...PAGE_OPTIONS,
  },
  run: (context) =>
    printPage(context, {
      what: "corrections",
      fetch(client, page) {
        const query = { ...page, ...given({ event: context.options.event }) };
        return client.GET("/usage/corrections", { params: { query } });
      },
      columns: [
        { title: "made (UTC)", value: (row) => formatTime(row.createdAt) },
        { title: "event", value: (row) => row.eventId },
        {
          title: "before",
          value: (row) => (row.previousCostUsd === null ? "–" : formatUsd(row.previousCostUsd)),
          isNumber: true,
        },
        { title: "after", value: (row) => formatUsd(row.costUsd), isNumber: true },
        { title: "difference", value: (row) => formatUsd(row.differenceUsd), isNumber: true },
        { title: "price row before", value: (row) => formatOptional(row.previousPriceRowId) },
        { title: "price row", value: (row) => row.priceRowId },
        { title: "by", value: (row) => row.createdBy },
      ],
    }),
});

interface Totals {
  readonly examined: number;
  readonly corrected: number;
  readonly newlyPriced: number;
  readonly unchanged: number;
  readonly withoutPrice: number;
  readonly notPriceable: number;
  readonly differenceUsd: string;
}

type Page = components["schemas"]["Repricing"];
type Scope = { readonly from: string; readonly to: string; readonly dryRun: boolean };

async function repriceAll(
  client: AdminClient,
  scope: Scope,
  remark: (text: string) => void,
): Promise<Totals> {
  const totals = {
    examined: 0,
    corrected: 0,
    newlyPriced: 0,
    unchanged: 0,
    withoutPrice: 0,
    notPriceable: 0,
  };
  let difference: bigint = ZERO_PICOS;
  let cursor: string | null = null;
  let nextRemark = EVENTS_A_REMARK;
  do {
    const body = { ...scope, ...(cursor !== null && { cursor }) };
    const page: Page = expectData(await client.POST("/usage/reprice", { body }));
    for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += page[name];
    difference += parseUsd(page.differenceUsd) ?? ZERO_PICOS;
    cursor = page.nextCursor;
    if (totals.examined >= nextRemark) {
      remark(describe(totals));
      nextRemark += EVENTS_A_REMARK;
    }
  } while (cursor !== null);
  return { ...totals, differenceUsd: formatAmount(picos(difference)) };
}

function describe({ examined, corrected }: Pick<Totals, "examined" | "corrected">): string {
  return `${counted(examined, "call")} examined, ${formatCount(corrected)} to correct`;
}
