import { defineCommand } from "../command.ts";
import { formatOptionalTime } from "../format-cells.ts";
import { given } from "../given.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";

const list = defineCommand({
  summary: "list what providers charge, by provider and model",
  details: "In USD for a million tokens. A dash is no price of its own, 0 is free.",
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
          { title: "model", value: (row) => row.model },
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

const COLUMN_TITLES = { input: "input", cachedInput: "cached", output: "output" } as const;

function remarksOn(row: {
  readonly steps: readonly { readonly fromInputTokens: number }[];
  readonly dailyWindow: { readonly from: string; readonly until: string } | null;
  readonly unmeteredCharges: readonly string[];
}): string {
  const remarks = row.steps.map(({ fromInputTokens }) => `other from ${fromInputTokens} input`);
  if (row.dailyWindow !== null)
    remarks.push(`${row.dailyWindow.from}–${row.dailyWindow.until} UTC`);
  if (row.unmeteredCharges.length > 0) remarks.push("not priced: charges by the call");
  return remarks.join("; ");
}

export const prices = { list };
