import { CliError } from "./cli-error.ts";

const UNIT_SECONDS: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
};

/** A span of time as people type it, in the largest unit that fits: `90d`, `1h`, `30s`. */
export function formatDuration(seconds: number): string {
  const unit = ["d", "h", "m"].find(
    (one) => seconds > 0 && seconds % (UNIT_SECONDS[one] ?? 1) === 0,
  );
  return unit === undefined ? `${seconds}s` : `${seconds / (UNIT_SECONDS[unit] ?? 1)}${unit}`;
}

/** A span of time as people type it, in seconds: `0`, `90s`, `30m`, `24h`, `7d`. */
export function parseDuration(text: string, flag: string): number {
  const trimmed = text.trim();
  const [, count, unit = ""] = /^(\d{1,6})([smhdw])$/.exec(trimmed) ?? [];
  if (count !== undefined) return Number(count) * (UNIT_SECONDS[unit] ?? Number.NaN);
  if (trimmed === "0") return 0;
  throw new CliError(`${flag} takes a span of time; got ${JSON.stringify(text)}`, {
    isUsage: true,
    advice: "give it as 90s, 30m, 24h, 7d or 0",
  });
}
