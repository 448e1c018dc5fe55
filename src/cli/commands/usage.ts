import type { components } from "../../admin/api-types.ts";
import { defineCommand } from "../command.ts";
import { formatCount, formatLack, formatOptional, formatTime, formatUsd } from "../format-cells.ts";
import { formatInput, formatOutput, formatTools } from "../format-quantities.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";
import type { Column } from "../table.ts";
import { EVENT_OPTIONS, eventFilterOf } from "../usage-options.ts";
import { usageExport } from "./usage-export.ts";
import { usagePending, usageRetry } from "./usage-pending.ts";
import { usageRefusals } from "./usage-refusals.ts";
import { usageSummary } from "./usage-summary.ts";

type Event = components["schemas"]["UsageEvent"];

const events = defineCommand({
  summary: "list provider calls, newest first",
  examples: [
    "keyward usage events",
    "keyward usage events --from 24h --customer acme --status failed",
    "keyward usage events --request-id req_01JZ6Y4V2S8W3N5R7T9X0B1C2D --json",
  ],
  reach: "admin",
  printsData: true,
  options: {
    ...EVENT_OPTIONS,
    wide: { description: "show project, tools, duration, attempt, keys and request id as well" },
    ...PAGE_OPTIONS,
  },
  run: (context) =>
    printPage(context, {
      what: "calls",
      fetch(client, page) {
        const query = { ...page, ...eventFilterOf(context) };
        return client.GET("/usage/events", { params: { query } });
      },
      columns(listed) {
        const { wide } = context.options;
        const hasProject = wide || new Set(listed.map(({ projectId }) => projectId)).size > 1;
        return [
          { title: "started (UTC)", value: (event) => formatTime(event.startedAt) },
          { title: "call", value: formatCall },
          { title: "status", value: formatStatus },
          { title: "environment", value: (event) => formatOptional(event.environment) },
          ...(hasProject ? [PROJECT] : []),
          ...COLUMNS,
          ...(wide ? WIDE_COLUMNS : []),
        ];
      },
    }),
});

/** The operation's name, or what was asked for where it has none. */
function formatCall({ operation, method, path }: Event): string {
  return operation === "other" ? `${method} ${path}` : operation;
}

function formatStatus({ status, httpStatus }: Event): string {
  return status === "failed" && httpStatus !== null ? `failed ${httpStatus}` : status;
}

const PROJECT: Column<Event> = {
  title: "project",
  value: (event) => formatOptional(event.project),
};

const COLUMNS: readonly Column<Event>[] = [
  { title: "customer", value: (event) => formatOptional(event.customer) },
  { title: "feature", value: (event) => formatOptional(event.feature) },
  { title: "model", value: (event) => formatOptional(event.servedModel ?? event.requestedModel) },
  { title: "input", value: formatInput, isNumber: true },
  { title: "output", value: formatOutput, isNumber: true },
  { title: "usage", value: (event) => event.usageSource },
  {
    title: "cost",
    value: (event) => {
      const costUsd = event.correctedCostUsd ?? event.costUsd;
      return costUsd === null ? formatLack(event) : formatUsd(costUsd);
    },
    isNumber: true,
  },
];

const WIDE_COLUMNS: readonly Column<Event>[] = [
  { title: "tools", value: formatTools },
  { title: "ms", value: (event) => formatCount(event.durationMs), isNumber: true },
  { title: "attempt", value: (event) => formatCount(event.attempt), isNumber: true },
  { title: "provider key", value: (event) => formatOptional(event.providerKeyId) },
  { title: "key", value: (event) => event.keyId },
  { title: "request id", value: (event) => event.requestId },
];

export const usage = {
  events,
  summary: usageSummary,
  refusals: usageRefusals,
  pending: usagePending,
  retry: usageRetry,
  export: usageExport,
};
