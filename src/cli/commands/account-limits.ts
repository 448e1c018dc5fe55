import type { components } from "../../admin/api-types.ts";
import { expectData } from "../../admin/client.ts";
import { defineCommand } from "../command.ts";
import { formatCount, formatTime } from "../format-cells.ts";
import type { Output } from "../output.ts";

type Figures = components["schemas"]["ProviderAccountLimits"];
type Model = components["schemas"]["AccountModelFigures"];
type Peak = components["schemas"]["DemandPeak"];

export const accountLimits = defineCommand({
  summary: "say how near an account comes to its provider's limits, and what to ask for more with",
  details:
    "Peaks are of one minute, of all processes together, by when calls came: also those that then waited or were not sent. Tokens are estimated before a call. Times are in UTC.",
  examples: [
    "keyward provider-accounts limits openai-main",
    "keyward provider-accounts limits openai-main --json",
  ],
  reach: "admin",
  printsData: true,
  arguments: {
    account: { description: "id or name of the account" },
  },
  async run({ admin, arguments: { account }, output }) {
    const client = await admin();
    const path = { id: account };
    const found = expectData(
      await client.GET("/provider-accounts/{id}/limits", { params: { path } }),
    );
    await output.data(found, () => printFigures(found, output));
  },
});

async function printFigures({ accountName, models, request }: Figures, output: Output) {
  if (models.length === 0) {
    output.line(`nothing was asked of ${accountName} in the last 30 days`);
    return;
  }
  await output.table(models.flatMap(limitRows), [
    { title: "model", value: ({ model }) => model },
    { title: "limit of", value: ({ of }) => of },
    { title: "told", value: ({ limit }) => formatAmount(limit), isNumber: true },
    { title: "used now", value: ({ used }) => formatAmount(used), isNumber: true },
    { title: "peak, 24 h", value: ({ peaks }) => formatPeak(peaks.lastDay), isNumber: true },
    { title: "7 d", value: ({ peaks }) => formatPeak(peaks.last7Days), isNumber: true },
    { title: "30 d", value: ({ peaks }) => formatPeak(peaks.last30Days), isNumber: true },
    { title: "at", value: ({ peaks }) => formatMinute(peaks.last30Days) },
  ]);
  const held = models.filter(
    ({ waits: { last30Days } }) => last30Days.waited + last30Days.refused > 0,
  );
  if (held.length > 0) {
    output.line();
    await output.table(held, [
      { title: "in 30 days", value: ({ model }) => model },
      {
        title: "waited",
        value: ({ waits }) => formatCount(waits.last30Days.waited),
        isNumber: true,
      },
      {
        title: "longest",
        value: ({ waits }) => `${(waits.last30Days.longestWaitMs / 1000).toFixed(1)} s`,
        isNumber: true,
      },
      {
        title: "not sent",
        value: ({ waits }) => formatCount(waits.last30Days.refused),
        isNumber: true,
      },
    ]);
  }
  output.line();
  output.line(request ?? "no peak came to 80 % of a limit that was told");
}

function limitRows({ model, requests, tokens }: Model) {
  return [
    { model, of: "requests", ...requests },
    { model, of: "tokens", ...tokens },
  ];
}

function formatAmount(amount: number | null): string {
  return amount === null ? "–" : formatCount(amount);
}

function formatPeak(peak: Peak | null): string {
  if (peak === null) return "–";
  const share = peak.percent === null ? "" : ` (${peak.percent} %)`;
  return `${formatCount(peak.amount)}${share}`;
}

function formatMinute(peak: Peak | null): string {
  return peak === null ? "–" : formatTime(peak.minute).slice(0, 16);
}
