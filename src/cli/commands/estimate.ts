import { expectData } from "../../admin/client.ts";
import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { formatCount, formatUsd } from "../format-cells.ts";
import { given } from "../given.ts";
import { parseCount } from "../parse-count.ts";
import { parseWhen } from "../parse-when.ts";

export const estimate = defineCommand({
  summary: "say what a call would cost",
  details:
    "With the same rules and prices that calls are rated with. Cached input is not part of --input, reasoning not of --output. Needs no server and no data directory.",
  examples: [
    "keyward estimate --model gpt-4o-mini --input 500 --output 1500",
    "keyward estimate --model gpt-5 --input 2000 --cached-input 30000 --output 800 --tier flex --json",
  ],
  reach: "admin",
  printsData: true,
  options: {
    model: { value: "model", description: "the model", isRequired: true },
    input: {
      value: "tokens",
      description: "input tokens",
      default: "0",
      param: "quantities.input",
    },
    cachedInput: {
      value: "tokens",
      description: "input tokens read from a cache",
      default: "0",
      param: "quantities.cachedInput",
    },
    output: {
      value: "tokens",
      description: "output tokens",
      default: "0",
      param: "quantities.output",
    },
    reasoningOutput: {
      value: "tokens",
      description: "output tokens of reasoning",
      default: "0",
      param: "quantities.reasoningOutput",
    },
    provider: { value: "name", description: "the provider", default: "openai" },
    tier: {
      value: "name",
      description: "service tier, else the standard one",
      param: "serviceTier",
    },
    at: { value: "when", description: "when the call is made, else now" },
  },
  async run({ admin, io, options, output }) {
    const { model, provider, tier: serviceTier, at } = options;
    const body = {
      provider,
      model,
      ...given({
        serviceTier,
        at: at && parseWhen(at, { nowMs: io.nowMs(), flag: "--at", direction: "ago" }),
      }),
      quantities: {
        input: parseCount(options.input, "--input"),
        cachedInput: parseCount(options.cachedInput, "--cached-input"),
        output: parseCount(options.output, "--output"),
        reasoningOutput: parseCount(options.reasoningOutput, "--reasoning-output"),
      },
    };
    const client = await admin("prices");
    const answer = expectData(await client.POST("/prices/estimate", { body }));
    await output.data(answer, async () => {
      if (answer.costUsd === null) return;
      const counted = answer.lines.filter((line) => line.count > 0);
      if (counted.length > 0) {
        await output.table(
          counted,
          [
            { title: "count", value: (line) => formatCount(line.count), isNumber: true },
            { title: "of", value: (line) => line.quantityClass },
            {
              title: "price",
              value: (line) => formatUsd(line.unitUsd),
              isNumber: true,
            },
            { title: "per", value: (line) => line.per },
            { title: "cost", value: (line) => formatUsd(line.amountUsd), isNumber: true },
          ],
          ["", "total", "", "", formatUsd(answer.costUsd)],
        );
      } else {
        output.line(formatUsd(answer.costUsd));
      }
      output.note(`by ${formatRow(answer.priceRowId)}`);
    });
    if (answer.costUsd === null) throw unpriced(answer);
  },
});

/** The id of a row ends with the day from which it is valid; that of an undated one with the epoch. */
function formatRow(id: string | null): string {
  return id === null ? "a free provider" : id.replace(/@1970-01-01$/, "");
}

function unpriced(answer: { reason: string | null; suggestions: readonly string[] }): CliError {
  const { reason, suggestions } = answer;
  const advice =
    suggestions.length > 0
      ? `did you mean ${suggestions.join(", ")}?`
      : "keyward prices list --model <part of the name>";
  return new CliError(`the call has no price: ${reason ?? "no row of the price book fits"}`, {
    advice,
  });
}
