/** What calls consumed, in words and short enough for a table. Names of classes come from a server, and may be new here. */
import { counted } from "../core/text/counted.ts";
import { formatCount } from "./format-cells.ts";

interface Consumed {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly quantities: Readonly<Partial<Record<string, number>>>;
}

/** Tokens; where there are none, what was consumed in their place: `7 s` of recorded audio, `24 chars` to speak. */
export function formatInput({ inputTokens, quantities }: Consumed): string {
  const { audioInputMs = 0, inputCharacters = 0 } = quantities;
  if (inputTokens > 0) return formatCount(inputTokens);
  if (audioInputMs > 0) return `${formatCount(audioInputMs / 1000)} s`;
  return inputCharacters > 0 ? `${formatCount(inputCharacters)} chars` : "0";
}

/** Tokens; where there are none, pictures. */
export function formatOutput({ outputTokens, quantities }: Consumed): string {
  const { images = 0 } = quantities;
  return outputTokens === 0 && images > 0 ? counted(images, "image") : formatCount(outputTokens);
}

/** `2 web searches, 1 code session`; a dash where no tool of the provider's was called. */
export function formatTools({ quantities }: Consumed): string {
  const used = TOOLS.flatMap(({ name, one, many }) => {
    const count = quantities[name] ?? 0;
    return count > 0 ? [counted(count, one, many)] : [];
  });
  return used.length > 0 ? used.join(", ") : "–";
}

const TOOLS = [
  { name: "webSearches", one: "web search", many: "web searches" },
  { name: "fileSearches", one: "file search", many: "file searches" },
  { name: "codeSessions", one: "code session", many: "code sessions" },
] as const;

/** A class of tokens or units as people say it: `cached audio input`, `ms of audio`. */
export function formatClass(name: string): string {
  return (
    UNIT_NAMES.get(name) ??
    name.replaceAll(/\d\w*?(?=[A-Z])|[A-Z]/g, (part) => ` ${part.toLowerCase()}`)
  );
}

const UNIT_NAMES: ReadonlyMap<string, string> = new Map([
  ["audioInputMs", "ms of audio"],
  ["inputCharacters", "characters"],
]);
