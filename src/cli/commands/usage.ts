import { defineCommand } from "../command.ts";
import { formatCount, formatOptional, formatTime, formatUsd } from "../format-cells.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";
import { EVENT_OPTIONS, eventFilterOf } from "../usage-options.ts";
import { usageExport } from "./usage-export.ts";
import { usageSummary } from "./usage-summary.ts";

const events = defineCommand({
  summary: "list provider calls, newest first",
  examples: [
    "keyward usage events",
    "keyward usage events --from 24h --customer acme --status failed",
    "keyward usage events --request-id req_01JZ6Y4V2S8W3N5R7T9X0B1C2D --json",
  ],
  reach: "admin",
  printsData: true,
  options: { ...EVENT_OPTIONS, ...PAGE_OPTIONS },
  run: (context) =>
    printPage(context, {
      what: "calls",
      fetch(client, page) {
        const query = { ...page, ...eventFilterOf(context) };
        return client.GET("/usage/events", { params: { query } });
      },
      columns: [
        { title: "started (UTC)", value: (event) => formatTime(event.startedAt) },
        { title: "status", value: (event) => event.status },
        { title: "environment", value: (event) => formatOptional(event.environment) },
        { title: "customer", value: (event) => formatOptional(event.customer) },
        { title: "feature", value: (event) => formatOptional(event.feature) },
        {
          title: "model",
          value: (event) => formatOptional(event.servedModel ?? event.requestedModel),
        },
        { title: "input", value: (event) => formatCount(event.inputTokens), isNumber: true },
        { title: "output", value: (event) => formatCount(event.outputTokens), isNumber: true },
        { title: "usage", value: (event) => event.usageSource },
        {
          title: "cost",
          value: (event) => (event.costUsd === null ? event.pricing : formatUsd(event.costUsd)),
          isNumber: true,
        },
      ],
    }),
});

export const usage = { events, summary: usageSummary, export: usageExport };
