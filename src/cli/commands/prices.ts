import { UNITS_OF_CLASSES } from "../../core/pricing/published-units.ts";
import { defineCommand } from "../command.ts";
import { formatOptionalTime } from "../format-cells.ts";
import { formatClass } from "../format-quantities.ts";
import { given } from "../given.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";
import { end, override, overrides } from "./price-overrides.ts";
import { check } from "./prices-check.ts";
import { corrections, reprice } from "./reprice.ts";

const list = defineCommand({
  summary: "list what providers charge, by provider and model",
  details:
    "In USD for a million tokens; what else is charged stands in the remarks. A dash is no price of its own, 0 is free.",
  examples: [
    "keyward prices list --model gpt-4o-mini",
    "keyward prices list --provider openai --limit 1000 --json",
  ],
  reach: "admin",
  printsData: true,
  options: {
    model: { value: "text", description: "only models whose name contains this" },
    provider: { value: "name", description: "only this provider's" },
    ...PAGE_OPTIONS,
  },
  run: (context) =>
    printPage(
      context,
      {
        what: "prices",
        fetch(client, page) {
          const { model, provider } = context.options;
          const query = { ...page, ...given({ model, provider }) };
          return client.GET("/prices", { params: { query } });
        },
        columns: [
          { title: "provider", value: (row) => row.provider },
          { title: "model", value: (row) => nameOf(row) },
          { title: "tier", value: (row) => row.tier },
          { title: "from", value: (row) => formatOptionalTime(row.validFrom).slice(0, 10) },
          { title: "until", value: (row) => formatOptionalTime(row.validUntil).slice(0, 10) },
          ...(["input", "cachedInput", "output"] as const).map((name) => ({
            title: COLUMN_TITLES[name],
            value: (row: { usdPerMillionTokens: { [Name in typeof name]?: string } }) =>
              row.usdPerMillionTokens[name] ?? "–",
            isNumber: true,
          })),
          { title: "remarks", value: (row) => remarksOn(row) },
        ],
      },
      "prices",
    ),
});

const COLUMN_TITLES = { input: "input", cachedInput: "cached input", output: "output" } as const;

function nameOf(row: { readonly model: string; readonly variant: string | null }): string {
  return row.variant === null ? row.model : `${row.model} (${row.variant})`;
}

function remarksOn(row: {
  readonly usdPerMillionTokens: Readonly<Partial<Record<string, string>>>;
  readonly usdPerUnit: Readonly<Partial<Record<string, string>>>;
  readonly steps: readonly { readonly fromInputTokens: number }[];
  readonly dailyWindow: { readonly from: string; readonly until: string } | null;
  readonly unmeteredCharges: readonly string[];
}): string {
  const remarks = row.steps.map(({ fromInputTokens }) => `other from ${fromInputTokens} input`);
  for (const [name, usd] of Object.entries(row.usdPerMillionTokens)) {
    if (!Object.hasOwn(COLUMN_TITLES, name)) remarks.push(`${formatClass(name)} ${usd}`);
  }
  for (const { field, name } of Object.values(UNITS_OF_CLASSES)) {
    const usd = row.usdPerUnit[field];
    if (usd !== undefined) remarks.push(`$${usd} per ${name}`);
  }
  if (row.dailyWindow !== null)
    remarks.push(`${row.dailyWindow.from}–${row.dailyWindow.until} UTC`);
  if (row.unmeteredCharges.length > 0) remarks.push("not priced: charges by the call");
  return remarks.join("; ");
}

export const prices = { list, override, overrides, end, reprice, corrections, check };
