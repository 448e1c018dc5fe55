import { type Picos, ZERO_PICOS } from "../money/picos.ts";
import { DAY_MS, HOUR_MS } from "./alert-period.ts";

const WEEK_HOURS = 7 * 24;
const COMPARED_WEEKS = 4;
const COMPARED_DAYS = 6;
/** Fewer hours to compare with say nothing about what is usual. */
const MIN_SAMPLES = 2;

/**
 * The hours that say what is usual for an hour: the same one of the weeks before, or, while fewer than two weeks are on
 * record, the same one of the days before. Empty when that is too little, too. Hours are named by their beginning.
 */
export function comparableHours(hourMs: number, firstHourMs: number): readonly number[] {
  const recorded = (hours: readonly number[]) => hours.filter((hour) => hour >= firstHourMs);
  const weeks = Array.from(
    { length: COMPARED_WEEKS },
    (_, index) => hourMs - (index + 1) * WEEK_HOURS * HOUR_MS,
  );
  const sameHourOfWeek = recorded(weeks);
  if (sameHourOfWeek.length >= MIN_SAMPLES) return sameHourOfWeek;
  const days = Array.from({ length: COMPARED_DAYS }, (_, index) => hourMs - (index + 1) * DAY_MS);
  const sameHourOfDay = recorded(days);
  return sameHourOfDay.length >= MIN_SAMPLES ? sameHourOfDay : [];
}

/** The median of what was spent in comparable hours, the lower middle of an even number; undefined without enough. */
export function usualSpend(samples: readonly Picos[]): Picos | undefined {
  if (samples.length < MIN_SAMPLES) return undefined;
  const sorted = samples.toSorted((one, other) => (one < other ? -1 : Number(one > other)));
  return sorted[Math.floor((sorted.length - 1) / 2)];
}

/**
 * Whether an hour's spending is out of the usual: at least `minPicos`, more than `percentOfUsual` of the median, and more
 * than every hour it is compared with. The last keeps quiet what comes every few weeks and so is not in the median.
 */
export function isSpike(
  spentPicos: Picos,
  samples: readonly Picos[],
  { percentOfUsual, minPicos }: { readonly percentOfUsual: number; readonly minPicos: Picos },
): boolean {
  const usualPicos = usualSpend(samples);
  if (usualPicos === undefined || spentPicos < minPicos || spentPicos <= ZERO_PICOS) return false;
  if (spentPicos * 100n <= usualPicos * BigInt(percentOfUsual)) return false;
  return samples.every((sample) => spentPicos > sample);
}
