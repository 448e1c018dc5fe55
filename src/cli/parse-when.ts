import { CliError } from "./cli-error.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

export interface WhenOptions {
  readonly nowMs: number;
  /** For the error message. */
  readonly flag: string;
  /** What `24h` means: 24 hours ago, or 24 hours from now. */
  readonly direction: "ago" | "ahead";
}

/**
 * A point in time as people type it, as ISO 8601 in UTC: `30m`, `24h`, `7d`, `2w`, `now`, `today`, `yesterday` (both
 * at midnight UTC), a date, or a time with its zone.
 */
export function parseWhen(text: string, { nowMs, flag, direction }: WhenOptions): string {
  const ms = toMs(text.trim(), nowMs, direction);
  if (ms !== undefined && ms >= 0 && ms <= LAST_MS) return new Date(ms).toISOString();
  throw new CliError(`${flag} takes a point in time; got ${JSON.stringify(text)}`, {
    isUsage: true,
    advice: `give it as ${EXAMPLES[direction](nowMs)}`,
  });
}

const EXAMPLES = {
  ago: () => "30m, 24h, 7d, today, yesterday, 2026-01-31 or 2026-01-31T09:00:00Z",
  ahead: (nowMs: number) => {
    const time = new Date(nowMs + 90 * 86_400_000).toISOString();
    return `90d, 12h, ${time.slice(0, 10)} or ${time.slice(0, 14)}00:00Z`;
  },
} as const;

/** The end of the year 9999: ISO 8601 writes later years in another way. */
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

function toMs(text: string, nowMs: number, direction: "ago" | "ahead"): number | undefined {
  const relative = /^(\d{1,6})([mhdw])$/.exec(text);
  if (relative) {
    const span = Number(relative[1]) * (UNIT_MS[relative[2] ?? ""] ?? Number.NaN);
    return direction === "ago" ? nowMs - span : nowMs + span;
  }
  const midnight = Math.floor(nowMs / 86_400_000) * 86_400_000;
  if (text === "now") return nowMs;
  if (text === "today") return midnight;
  if (text === "yesterday") return midnight - 86_400_000;
  if (!DATE.test(text) && !TIME.test(text)) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) return undefined;
  // Date.parse takes the 30th of February for the 2nd of March.
  const isRealDay = new Date(Date.parse(text.slice(0, 10)))
    .toISOString()
    .startsWith(text.slice(0, 10));
  return isRealDay ? ms : undefined;
}
