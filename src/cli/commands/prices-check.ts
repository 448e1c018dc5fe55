import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { counted } from "../../core/text/counted.ts";
import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { formatCount, formatUsd } from "../format-cells.ts";
import { formatClass } from "../format-quantities.ts";

const MAX_FILE_BYTES = 64 * 1024 * 1024;
const MAX_LISTED_NAMES = 20;

export const check = defineCommand({
  summary: "compare the shipped prices with another published table",
  details:
    "Takes LiteLLM's model_prices_and_context_window.json, or what OpenRouter answers at /api/v1/models. Both tables have mistakes: look each difference up at the provider. Your own overrides are not compared. Exit code 1 when a price differs.",
  examples: [
    "keyward prices check --against model_prices_and_context_window.json",
    "keyward prices check --against models.json --provider openrouter --json",
  ],
  reach: "none",
  printsData: true,
  options: {
    against: { value: "file", description: "the other table, as JSON", isRequired: true },
    provider: { value: "name", description: "only this provider's" },
  },
  async run({ io, options, output }) {
    const published = await readTable(resolve(io.cwd, options.against));
    const { provider } = options;
    const wanted =
      provider === undefined ? published : published.filter((one) => one.provider === provider);
    if (wanted.length === 0) {
      const known = [...new Set(published.map((one) => one.provider))].toSorted();
      throw new CliError(`the table has no prices of ${provider ?? "a provider that we know"}`, {
        advice: known.length === 0 ? "is it the right file?" : `it has ${known.join(", ")}`,
      });
    }
    const { comparePrices } = await import("../../core/pricing/check/compare-prices.ts");
    const { createPriceBook } = await import("../../core/pricing/create-price-book.ts");
    const { BUILT_IN_PRICE_LIST } = await import("../../core/pricing/built-in-price-list.ts");
    const book = createPriceBook(BUILT_IN_PRICE_LIST);
    const comparison = comparePrices(book, wanted, io.nowMs());
    const { differences, compared, onlyHere, onlyThere } = comparison;
    await output.data({ source: BUILT_IN_PRICE_LIST.source, ...comparison }, async () => {
      if (differences.length > 0) {
        await output.table(differences, [
          { title: "provider", value: (row) => row.provider },
          { title: "model", value: (row) => row.name },
          { title: "tier", value: (row) => row.tier },
          { title: "of", value: (row) => formatClass(row.quantityClass) },
          {
            title: "from",
            value: (row) => (row.fromInputTokens === 0 ? "" : formatCount(row.fromInputTokens)),
            isNumber: true,
          },
          { title: "ours", value: (row) => formatUsd(row.oursUsd), isNumber: true },
          { title: "theirs", value: (row) => formatUsd(row.theirsUsd), isNumber: true },
          { title: "per", value: (row) => row.per },
        ]);
      }
      output.line(
        `${counted(compared, "price")} compared, ${formatCount(differences.length)} different`,
      );
      output.line(describeNames("only here", onlyHere));
      output.line(describeNames("only there", onlyThere));
    });
    if (differences.length > 0) {
      throw new CliError(counted(differences.length, "price differs", "prices differ"), {
        advice:
          "look them up at the provider; a wrong one here is a bug, and `keyward prices override` mends it",
      });
    }
  },
});

function describeNames(where: string, names: readonly string[]): string {
  const shown = names.slice(0, MAX_LISTED_NAMES).join(", ");
  const rest = names.length - MAX_LISTED_NAMES;
  const more = rest > 0 ? `, and ${formatCount(rest)} more: --json lists them` : "";
  return `${where}: ${counted(names.length, "model")}${names.length > 0 ? ` (${shown}${more})` : ""}`;
}

async function readTable(path: string) {
  const { readLitellmPrices } = await import("../../core/pricing/check/read-litellm-prices.ts");
  const { readOpenrouterPrices } =
    await import("../../core/pricing/check/read-openrouter-prices.ts");
  const table = await readJson(path);
  const published = readLitellmPrices(table) ?? readOpenrouterPrices(table);
  if (published !== undefined) return published;
  throw new CliError(`${path} is no table of prices that is known`, {
    advice: "LiteLLM's model_prices_and_context_window.json, or OpenRouter's list of models",
  });
}

async function readJson(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES) {
      throw new CliError(`${path} has ${formatCount(size)} bytes; ${MAX_FILE_BYTES} are read`);
    }
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
    throw new SyntaxError("not an object");
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    const isUnread = !(cause instanceof SyntaxError);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(
      isUnread ? `${path} cannot be read: ${reason}` : `${path} is no JSON: ${reason}`,
      { cause },
    );
  }
}
