import { expectData } from "../../admin/client.ts";
import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { formatCount, formatUsd } from "../format-cells.ts";
import { formatClass } from "../format-quantities.ts";
import { given } from "../given.ts";
import { parseCount } from "../parse-count.ts";
import { parseWhen } from "../parse-when.ts";
import { printMonths, printTiers } from "./forecast-tables.ts";

export const estimate = defineCommand({
  summary: "say what a call would cost, and so many customers",
  details:
    "With the same rules and prices that calls are rated with. Cached input is not part of --input, reasoning not of --output. Needs no server and no data directory; where there is one its price overrides hold. With --calls-per-day and --customers it is a forecast, in months of 30 days; --growth is from month to month.",
  examples: [
    "keyward estimate --model gpt-4o-mini --input 500 --output 1500",
    "keyward estimate --model gpt-5 --input 2000 --cached-input 30000 --output 800 --tier flex --json",
    "keyward estimate --model gpt-4o-mini --input 500 --output 1500 --calls-per-day 20 --customers 100 --growth 10 --months 12",
    "keyward estimate --model dall-e-3 --images 1 --variant hd/1024x1792",
    "keyward estimate --model gpt-image-1 --input 50 --image-output 4160",
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
    cacheWriteInput: {
      value: "tokens",
      description: "input tokens written to a cache",
      param: "quantities.cacheWriteInput",
    },
    audioInput: {
      value: "tokens",
      description: "input tokens of audio",
      param: "quantities.audioInput",
    },
    audioOutput: {
      value: "tokens",
      description: "output tokens of audio",
      param: "quantities.audioOutput",
    },
    imageInput: {
      value: "tokens",
      description: "input tokens of images",
      param: "quantities.imageInput",
    },
    imageOutput: {
      value: "tokens",
      description: "output tokens of images",
      param: "quantities.imageOutput",
    },
    images: {
      value: "count",
      description: "generated images, where they are not charged by tokens",
      param: "quantities.images",
    },
    characters: {
      value: "count",
      description: "characters to speak",
      param: "quantities.inputCharacters",
    },
    audioSeconds: {
      value: "count",
      description: "seconds of recorded audio",
      param: "quantities.audioInputMs",
    },
    webSearches: {
      value: "count",
      description: "searches of the web by the provider's tool",
      param: "quantities.webSearches",
    },
    provider: { value: "name", description: "the provider", default: "openai" },
    tier: {
      value: "name",
      description: "service tier, else the standard one",
      param: "serviceTier",
    },
    variant: { value: "name", description: "what else the price depends on: hd/1024x1792" },
    at: { value: "when", description: "when the call is made, else now" },
    callsPerDay: {
      value: "count",
      description: "calls of a customer a day: a forecast, with --customers",
      param: "forecast.callsPerCustomerPerDay",
    },
    customers: {
      value: "count",
      description: "customers in the first month",
      param: "forecast.customers",
    },
    growth: {
      value: "percent",
      description: "more customers each month, or fewer: -5",
      param: "forecast.growthPercentPerMonth",
    },
    months: { value: "count", description: "how many, else 12", param: "forecast.months" },
  },
  async run({ admin, io, options, output }) {
    const { model, provider, tier: serviceTier, variant, at } = options;
    const forecast = forecastOf(options);
    const more = given({
      cacheWriteInput: countOf(options.cacheWriteInput, "--cache-write-input"),
      audioInput: countOf(options.audioInput, "--audio-input"),
      audioOutput: countOf(options.audioOutput, "--audio-output"),
      imageInput: countOf(options.imageInput, "--image-input"),
      imageOutput: countOf(options.imageOutput, "--image-output"),
      images: countOf(options.images, "--images"),
      inputCharacters: countOf(options.characters, "--characters"),
      audioInputMs: countOf(options.audioSeconds, "--audio-seconds", 1000),
      webSearches: countOf(options.webSearches, "--web-searches"),
    });
    const body = {
      provider,
      model,
      ...given({
        serviceTier,
        variant,
        forecast,
        at: at && parseWhen(at, { nowMs: io.nowMs(), flag: "--at", direction: "ago" }),
      }),
      quantities: {
        input: parseCount(options.input, "--input"),
        cachedInput: parseCount(options.cachedInput, "--cached-input"),
        output: parseCount(options.output, "--output"),
        reasoningOutput: parseCount(options.reasoningOutput, "--reasoning-output"),
        ...more,
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
            { title: "of", value: (line) => formatClass(line.quantityClass) },
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
      await printTiers(output, answer);
      await printMonths(output, answer);
    });
    if (answer.costUsd === null) throw unpriced(answer);
  },
});

const DEFAULT_MONTHS = 12;

function forecastOf(options: {
  readonly callsPerDay: string | undefined;
  readonly customers: string | undefined;
  readonly growth: string | undefined;
  readonly months: string | undefined;
}) {
  const { callsPerDay, customers, growth: growthPercentPerMonth, months } = options;
  if (callsPerDay === undefined && customers === undefined) {
    if (growthPercentPerMonth === undefined && months === undefined) return undefined;
  }
  if (callsPerDay === undefined || customers === undefined) {
    throw new CliError("a forecast takes both --calls-per-day and --customers", {
      isUsage: true,
      advice: "--calls-per-day 20 --customers 100 --growth 10 --months 12",
    });
  }
  return {
    callsPerCustomerPerDay: callsPerDay,
    customers: parseCount(customers, "--customers"),
    ...given({ growthPercentPerMonth }),
    months: months === undefined ? DEFAULT_MONTHS : parseCount(months, "--months"),
  };
}

function countOf(text: string | undefined, flag: string, size = 1): number | undefined {
  return text === undefined ? undefined : parseCount(text, flag) * size;
}

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
