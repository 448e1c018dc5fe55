/**
 * Writes the price list that Keyward ships (`npm run prices`) from the installed version of `@pydantic/genai-prices`
 * and the overlay beside it, and prints what of the data is not taken over. Run it after updating that package, and read the difference.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { findProvider } from "@pydantic/genai-prices";
import type { ListedProvider, PriceList } from "../src/core/pricing/price-list.ts";
import { applyPriceOverlay } from "./apply-price-overlay.ts";
import { convertProvider } from "./price-list-source.ts";

const DATA_PACKAGE = "@pydantic/genai-prices";
export const PRICE_LIST_URL = new URL("../src/core/pricing/price-list.json", import.meta.url);

/**
 * The providers that are reachable at an OpenAI-compatible base URL. The data also knows subscriptions (Copilot,
 * Cursor) and servers without a public price; they are left out. Groq says `on_demand` for its standard tier.
 */
const PROVIDERS: readonly (readonly [id: string, ...standardTiers: string[]])[] = [
  ["openai"],
  ["azure"],
  ["anthropic"],
  ["google"],
  ["groq", "on_demand"],
  ["mistral"],
  ["openrouter"],
  ["deepseek"],
  ["x-ai"],
  ["together"],
  ["fireworks"],
  ["perplexity"],
  ["cohere"],
  ["cerebras"],
  ["novita"],
  ["moonshotai"],
  ["minimax"],
  ["zai"],
  ["baseten"],
  ["ovhcloud"],
  ["aws"],
  ["cloudflare"],
  ["voyageai"],
];

export interface BuiltPriceList {
  readonly list: PriceList;
  /** The file's text. */
  readonly text: string;
  /** What is not taken over exactly as the data has it. */
  readonly report: readonly string[];
}

export function buildPriceList(): BuiltPriceList {
  const report = { lines: [] as string[] };
  const providers = PROVIDERS.map(([id, ...standardTiers]) => {
    const provider = findProvider({ providerId: id });
    if (provider?.id !== id) throw new Error(`the data has no provider ${id}`);
    return convertProvider(provider, standardTiers, report);
  });
  const source = `${DATA_PACKAGE} ${installedVersion()}`;
  const list = { source, providers: applyPriceOverlay(providers, source) };
  return { list, text: printList(list), report: report.lines };
}

function installedVersion(): string {
  const url = new URL("package.json", import.meta.resolve(DATA_PACKAGE).replace(/dist\/.*$/, ""));
  const { version } = JSON.parse(readFileSync(url, "utf8")) as { version: string };
  return version;
}

/** JSON with one model a line, so that an update can be read as a difference. */
function printList(list: PriceList): string {
  const providers = list.providers.map(printProvider).join(",\n");
  return `{"source":${JSON.stringify(list.source)},"providers":[\n${providers}\n]}\n`;
}

function printProvider(provider: ListedProvider): string {
  const { models, ...head } = provider;
  const lines = models.map((model) => JSON.stringify(model)).join(",\n");
  return `${JSON.stringify(head).slice(0, -1)},"models":[\n${lines}\n]}`;
}

if (import.meta.main) {
  const { list, text, report } = buildPriceList();
  writeFileSync(PRICE_LIST_URL, text);
  const models = list.providers.reduce((sum, provider) => sum + provider.models.length, 0);
  process.stdout.write(
    `${report.join("\n")}\n\n${models} models of ${list.providers.length} providers, ${text.length} bytes, from ${list.source}\n`,
  );
}
