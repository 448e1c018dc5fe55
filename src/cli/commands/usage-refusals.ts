import { expectData } from "../../admin/client.ts";
import { defineCommand } from "../command.ts";
import { formatCount } from "../format-cells.ts";
import { RANGE_OPTIONS, rangeOf } from "../usage-options.ts";

export const usageRefusals = defineCommand({
  summary: "count the calls that Keyward itself refused, by reason",
  details:
    "Such calls never reached a provider and are no usage events. docs/errors.md explains each reason. Counts are kept by the hour: --from counts from the full hour before it, --to up to the full hour after it.",
  examples: ["keyward usage refusals", "keyward usage refusals --from 24h --json"],
  reach: "admin",
  printsData: true,
  options: RANGE_OPTIONS,
  async run(context) {
    const { admin, output } = context;
    const query = rangeOf(context);
    const client = await admin();
    const refusals = expectData(await client.GET("/usage/refusals", { params: { query } }));
    await output.data(refusals, async () => {
      if (refusals.data.length === 0) return output.note("no refused calls");
      return output.table(refusals.data, [
        { title: "reason", value: ({ code }) => code },
        { title: "calls", value: ({ calls }) => formatCount(calls), isNumber: true },
      ]);
    });
  },
});
