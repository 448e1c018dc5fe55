import {
  describeErrorRate,
  describeEstimated,
  describeSpike,
  describeUnpriced,
} from "../../core/alerts/alert-content.ts";
import { HOUR_MS, periodStartMs } from "../../core/alerts/alert-period.ts";
import type { ConditionOf } from "../../core/alerts/alert-rule.ts";
import { reachesShare } from "../../core/alerts/shares.ts";
import { comparableHours, isSpike, usualSpend } from "../../core/alerts/spend-spike.ts";
import type { EnvironmentId, GatewayKeyId, ProjectId } from "../../core/ids/ids.ts";
import { parseUsd, type Picos, ZERO_PICOS } from "../../core/money/picos.ts";
import type { AlertRuleRecord, AlertSubject } from "../../store/alert-records.ts";
import {
  MAX_PAGE_SIZE,
  type Store,
  type SummaryDimension,
  type SummaryRequest,
  type SummaryRow,
} from "../../store/store.ts";
import { type Finding, formatMinute, periodName } from "./finding.ts";

export interface UsageFindingDeps {
  readonly store: Pick<Store, "usage">;
  readonly nowMs: number;
  readonly nameOf: (subject: AlertSubject) => Promise<string>;
  readonly shortNameOf: (subject: AlertSubject) => Promise<string>;
}

/** Subjects of one rule that are looked at: what is beyond is looked at when others have become fewer. */
const MAX_ROWS = 50_000;

/**
 * The hour that goes on, and the one before: what came in its last minute, and what reached the database late, is seen
 * as well.
 */
function watchedHours(nowMs: number): readonly number[] {
  const hourMs = periodStartMs("hour", nowMs);
  return [hourMs - HOUR_MS, hourMs];
}

export async function findErrorRates(
  deps: UsageFindingDeps,
  rule: AlertRuleRecord,
  { settings: { percent, minCalls } }: ConditionOf<"error_rate">,
): Promise<readonly Finding[]> {
  return await findShares(deps, rule, {
    affectedOf: ({ failedCalls }) => failedCalls,
    limit: { percent, minimum: minCalls },
    describe: describeErrorRate,
  });
}

export async function findEstimatedUsage(
  deps: UsageFindingDeps,
  rule: AlertRuleRecord,
  { settings: { percent, minCalls } }: ConditionOf<"estimated_usage">,
): Promise<readonly Finding[]> {
  return await findShares(deps, rule, {
    affectedOf: ({ estimatedCalls, usageUnknownCalls }) => estimatedCalls + usageUnknownCalls,
    limit: { percent, minimum: minCalls },
    describe: describeEstimated,
  });
}

async function findShares(
  deps: UsageFindingDeps,
  rule: AlertRuleRecord,
  share: {
    readonly affectedOf: (row: SummaryRow) => number;
    readonly limit: { readonly percent: number; readonly minimum: number };
    readonly describe: typeof describeErrorRate;
  },
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const hourMs of watchedHours(deps.nowMs)) {
    for await (const { row, subject } of rowsOf(deps, rule, hourMs)) {
      const { calls } = row;
      const affected = share.affectedOf(row);
      if (!reachesShare({ count: affected, total: calls }, share.limit)) continue;
      findings.push({
        key: { ...subject, period: periodName(rule.repeat, hourMs) },
        describe: async () =>
          share.describe(await deps.nameOf(subject), { hourMs, calls, affected }, formatMinute),
      });
    }
  }
  return onceByKey(findings);
}

export async function findSpendSpikes(
  deps: UsageFindingDeps,
  rule: AlertRuleRecord,
  { settings }: ConditionOf<"spend_spike">,
): Promise<readonly Finding[]> {
  const minPicos = parseUsd(settings.minUsd);
  if (minPicos === undefined) throw new Error(`${settings.minUsd} is no amount`);
  const findings: Finding[] = [];
  const firstHourMs = await findFirstHour(deps);
  for (const hourMs of watchedHours(deps.nowMs)) {
    const spent: { readonly subject: AlertSubject; readonly spentPicos: Picos }[] = [];
    for await (const { row, subject } of rowsOf(deps, rule, hourMs)) {
      if (row.costPicos >= minPicos && row.costPicos > ZERO_PICOS) {
        spent.push({ subject, spentPicos: row.costPicos });
      }
    }
    // What is usual is read for hours in which somebody spent something worth a word, and for no other.
    if (spent.length === 0) continue;
    const samples = await readSamples(deps, rule, comparableHours(hourMs, firstHourMs));
    for (const { subject, spentPicos } of spent) {
      const before = samples.of(subject.id);
      const usualPicos = usualSpend(before);
      const limits = { percentOfUsual: settings.percentOfUsual, minPicos };
      if (usualPicos === undefined || !isSpike(spentPicos, before, limits)) continue;
      findings.push({
        key: { ...subject, period: periodName(rule.repeat, hourMs) },
        describe: async () =>
          describeSpike(
            await deps.nameOf(subject),
            { hourMs, spentPicos, usualPicos },
            formatMinute,
          ),
      });
    }
  }
  return onceByKey(findings);
}

/** What each subject spent in each of the hours; nothing where it has no row: the gateway was there and it was not. */
async function readSamples(
  deps: UsageFindingDeps,
  rule: AlertRuleRecord,
  hours: readonly number[],
): Promise<{ of(id: string): readonly Picos[] }> {
  const byHour: Map<string, Picos>[] = [];
  for (const hourMs of hours) {
    const spent = new Map<string, Picos>();
    for await (const { row, subject } of rowsOf(deps, rule, hourMs)) {
      spent.set(subject.id, row.costPicos);
    }
    byHour.push(spent);
  }
  return { of: (id) => byHour.map((spent) => spent.get(id) ?? ZERO_PICOS) };
}

/** The first hour on record; the current one where there is none. */
async function findFirstHour({ store, nowMs }: UsageFindingDeps): Promise<number> {
  const { rows } = await store.usage.summarize({ limit: 1 }, { groupBy: ["hour"] });
  const first = rows[0]?.group.hour;
  return typeof first === "number" ? first : periodStartMs("hour", nowMs);
}

/** Models that had calls of known usage and without a price in the hour that goes on or the one before. */
export async function findUnpricedModels(
  deps: UsageFindingDeps,
  rule: AlertRuleRecord,
): Promise<readonly Finding[]> {
  const [fromMs = 0] = watchedHours(deps.nowMs);
  const request: SummaryRequest = {
    groupBy: ["model", "environment"],
    fromMs,
    filter: filterOf(rule),
  };
  const findings: Finding[] = [];
  for await (const row of allRows(deps, request)) {
    const { unpricedCalls: calls, group } = row;
    if (calls === 0) continue;
    const model = String(group.model ?? "");
    const environment = { kind: "environment", id: String(group.environment ?? "") } as const;
    findings.push({
      key: { kind: "model", id: model, period: periodName(rule.repeat, deps.nowMs) },
      describe: async () =>
        describeUnpriced(model === "" ? "(not named)" : model, {
          calls,
          environment: await deps.shortNameOf(environment),
        }),
    });
  }
  return onceByKey(findings);
}

async function* rowsOf(deps: UsageFindingDeps, rule: AlertRuleRecord, hourMs: number) {
  const kind = rule.scope?.kind ?? "organization";
  const dimension = kind === "organization" ? undefined : (kind as SummaryDimension);
  const request: SummaryRequest = {
    groupBy: dimension === undefined ? [] : [dimension],
    fromMs: hourMs,
    toMs: hourMs + HOUR_MS,
    filter: filterOf(rule),
  };
  for await (const row of allRows(deps, request)) {
    const value = dimension === undefined ? "" : row.group[dimension];
    yield { row, subject: { kind, id: String(value ?? "") } satisfies AlertSubject };
  }
}

async function* allRows({ store }: UsageFindingDeps, request: SummaryRequest) {
  let cursor: string | undefined;
  for (let read = 0; read < MAX_ROWS; read += MAX_PAGE_SIZE) {
    const page = await store.usage.summarize({ limit: MAX_PAGE_SIZE, cursor }, request);
    yield* page.rows;
    if (page.nextCursor === null) return;
    cursor = page.nextCursor;
  }
}

function filterOf({ scope }: AlertRuleRecord): NonNullable<SummaryRequest["filter"]> {
  if (scope === null || scope.id === null) return {};
  const { kind, id } = scope;
  if (kind === "project") return { projectId: id as ProjectId };
  if (kind === "environment") return { environmentId: id as EnvironmentId };
  if (kind === "key") return { gatewayKeyId: id as GatewayKeyId };
  if (kind === "customer") return { customer: id };
  return kind === "feature" ? { feature: id } : {};
}

/** The first of each: both hours, or several environments, can have come upon the same. */
function onceByKey(findings: readonly Finding[]): readonly Finding[] {
  const byKey = new Map<string, Finding>();
  for (const finding of findings) {
    const { kind, id, period } = finding.key;
    const name = JSON.stringify([kind, id, period]);
    if (!byKey.has(name)) byKey.set(name, finding);
  }
  return [...byKey.values()];
}
