import { defineCommand } from "../command.ts";
import { formatOptional, formatOptionalTime, formatTime } from "../format-cells.ts";
import { given } from "../given.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";
import { parseCount } from "../parse-count.ts";

export const unused = defineCommand({
  summary: "list gateway keys that nobody uses",
  details:
    "Of the keys that can be used: those that are older than so many days and have not been used in them, or with --never those that never were.",
  examples: [
    "keyward keys unused",
    "keyward keys unused --days 90 --environment production",
    "keyward keys unused --never --json",
  ],
  reach: "admin",
  printsData: true,
  options: {
    days: {
      value: "count",
      description: "not used in so many days",
      default: "30",
      param: "unusedForDays",
    },
    never: { description: "never used at all" },
    environment: { value: "name", description: "only those of this environment" },
    customer: { value: "id", description: "only those bound to this customer" },
    ...PAGE_OPTIONS,
  },
  run: (context) =>
    printPage(context, {
      what: "unused gateway keys",
      fetch(client, page) {
        const { days, never, environment, customer } = context.options;
        const report = never
          ? ({ neverUsed: "true" } as const)
          : { unusedForDays: parseCount(days, "--days") };
        const query = { ...page, ...report, ...given({ environment, customer }) };
        return client.GET("/keys", { params: { query } });
      },
      columns: [
        { title: "name", value: (key) => key.name },
        { title: "key", value: (key) => key.preview },
        { title: "environment", value: (key) => formatOptional(key.environment) },
        { title: "customer", value: (key) => formatOptional(key.customer) },
        { title: "last used", value: (key) => formatOptionalTime(key.lastUsedAt) },
        { title: "created", value: (key) => formatTime(key.createdAt) },
        { title: "id", value: (key) => key.id },
      ],
    }),
});
