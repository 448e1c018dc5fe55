import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { GatewayKeyId } from "../../core/ids/ids.ts";
import { type Picos, picos } from "../../core/money/picos.ts";
import {
  QUANTITY_CLASSES,
  totalCachedInputTokens,
  totalInputTokens,
  totalOutputTokens,
} from "../../core/usage/quantities.ts";
import {
  EVENT_STATUSES,
  PRICING_STATES,
  type RefusalCount,
  USAGE_SOURCES,
  type UsageEvent,
} from "../../core/usage/usage-event.ts";
import {
  InvalidCursorError,
  SUMMARY_DIMENSIONS,
  type SummaryDimension,
  type SummaryRequest,
  type SummaryRow,
} from "../store.ts";
import { type CreateTestDatabase, readAll, useDatabase } from "./fixture.contract.ts";
import {
  ids,
  insertBelongings,
  SAMPLE_TIME_MS,
  sampleEvent,
  sampleGatewayKey,
} from "./samples.contract.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PROJECT_IDS = [ids.create("prj"), ids.create("prj")];
const ENVIRONMENT_IDS = [ids.create("env"), ids.create("env")];
const GATEWAY_KEY_IDS = [ids.create("key"), ids.create("key"), ids.create("key")];

const money = fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n }).map(picos));
const events: fc.Arbitrary<readonly UsageEvent[]> = fc.array(
  fc
    .record({
      startedAtMs: fc.integer({ min: SAMPLE_TIME_MS - DAY_MS, max: SAMPLE_TIME_MS + DAY_MS }),
      projectId: fc.constantFrom(...PROJECT_IDS),
      environmentId: fc.constantFrom(...ENVIRONMENT_IDS),
      gatewayKeyId: fc.constantFrom(...GATEWAY_KEY_IDS),
      customer: fc.constantFrom(null, "a", "B", "ä", "_"),
      feature: fc.constantFrom(null, "chat", "voice"),
      requestedModel: fc.constantFrom(null, "m1", "m2"),
      servedModel: fc.constantFrom(null, "m1", "m3"),
      status: fc.constantFrom(...EVENT_STATUSES),
      usageSource: fc.constantFrom(...USAGE_SOURCES),
      pricing: fc.constantFrom(...PRICING_STATES),
      quantities: fc.dictionary(fc.constantFrom(...QUANTITY_CLASSES), fc.nat({ max: 10 ** 9 })),
      costPicos: money,
      pricePicos: money,
    })
    .map((overrides) => sampleEvent(overrides)),
  { minLength: 1, maxLength: 60, size: "max" },
);

const groupings = fc
  .subarray([...SUMMARY_DIMENSIONS])
  .filter((dimensions) => !(dimensions.includes("hour") && dimensions.includes("day")))
  .chain((dimensions) => fc.shuffledSubarray(dimensions, { minLength: dimensions.length }));

const anyFilter = {
  projectId: fc.constantFrom(...PROJECT_IDS),
  environmentId: fc.constantFrom(...ENVIRONMENT_IDS),
  gatewayKeyId: fc.constantFrom(...GATEWAY_KEY_IDS),
  customer: fc.constantFrom("a", "B", "nobody"),
  feature: fc.constantFrom("chat", "voice"),
  model: fc.constantFrom("m1", "m2", "m3"),
};
/** Half of the requests ask for everything: filters leave little, and little hides a wrong order or page. */
const filters = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  ...Object.entries(anyFilter).map(([name, value]) => ({
    weight: 1,
    arbitrary: fc.record({ [name]: value as fc.Arbitrary<string> }),
  })),
  { weight: 1, arbitrary: fc.record(anyFilter, { requiredKeys: [] }) },
) as fc.Arbitrary<NonNullable<SummaryRequest["filter"]>>;

const times = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: SAMPLE_TIME_MS - DAY_MS, max: SAMPLE_TIME_MS + DAY_MS }),
  },
);
const requests: fc.Arbitrary<SummaryRequest> = fc.record({
  groupBy: groupings,
  fromMs: times,
  toMs: times,
  filter: filters,
});

export function describeSummaries(createDatabase: CreateTestDatabase): void {
  describe("the summary", () => {
    const fixture = useDatabase(createDatabase);

    test("equals the plain sum of the events, by any dimensions, filters and page size", async () => {
      const { store, database } = fixture;
      const check = async (
        batch: readonly UsageEvent[],
        asked: readonly SummaryRequest[],
        limit: number,
      ) => {
        await database.execute("delete from usage_events");
        await database.execute("delete from usage_rollups");
        const half = Math.floor(batch.length / 2);
        await store.usage.insertBatch({ events: batch.slice(0, half), refusals: [] });
        await store.usage.insertBatch({ events: batch.slice(half), refusals: [] });
        for (const request of asked) {
          const rows = await readAll(limit, (page) => store.usage.summarize(page, request));
          expect(rows).toEqual(summed(batch, request));
        }
      };
      const asked = fc.array(requests, { minLength: 3, maxLength: 6 });
      await fc.assert(fc.asyncProperty(events, asked, fc.constantFrom(1, 2, 7, 1000), check), {
        numRuns: 25,
      });
    });

    test("of nothing is one row of zeros as a total, and no row by a dimension", async () => {
      const { usage } = fixture.store;
      const total = await usage.summarize({ limit: 1 }, { groupBy: [] });
      expect(total.rows).toEqual([{ group: {}, ...NOTHING }]);
      expect(total.nextCursor).toBeNull();
      expect((await usage.summarize({ limit: 1 }, { groupBy: ["day"] })).rows).toEqual([]);
    });

    test("refuses a cursor of another grouping, and a grouping that makes no sense", async () => {
      const { usage } = fixture.store;
      const batch = ["a", "b"].map((customer) => sampleEvent({ customer }));
      await usage.insertBatch({ events: batch, refusals: [] });
      const { nextCursor } = await usage.summarize({ limit: 1 }, { groupBy: ["customer"] });
      const page = { limit: 1, cursor: nextCursor ?? "" };
      const others: readonly SummaryDimension[][] = [["feature"], ["customer", "day"], []];
      for (const groupBy of others) {
        await expect(usage.summarize(page, { groupBy })).rejects.toBeInstanceOf(InvalidCursorError);
      }
      await expect(
        usage.summarize({ limit: 1 }, { groupBy: ["hour", "day"] }),
      ).rejects.toBeInstanceOf(RangeError);
      await expect(
        usage.summarize({ limit: 1 }, { groupBy: ["key", "key"] }),
      ).rejects.toBeInstanceOf(RangeError);
    });
  });

  describe("refusals", () => {
    const fixture = useDatabase(createDatabase);

    test("are counted by code over the hours asked for, each time they are sent", async () => {
      const { usage } = fixture.store;
      const refusal = (code: string, hour: number, count: number): RefusalCount => ({
        hourMs: SAMPLE_TIME_MS + hour * HOUR_MS,
        code,
        gatewayKeyId: count % 2 === 0 ? (GATEWAY_KEY_IDS[0] ?? null) : null,
        customer: count % 3 === 0 ? "acme" : null,
        count,
      });
      const refusals = [
        refusal("model_not_allowed", 0, 1),
        refusal("model_not_allowed", 0, 3),
        refusal("invalid_api_key", 1, 4),
        refusal("invalid_api_key", 1, 4),
        refusal("invalid_api_key", 2, 6),
      ];
      expect(await usage.insertBatch({ events: [], refusals })).toEqual({ inserted: 0 });
      await usage.insertBatch({ events: [sampleEvent()], refusals: refusals.slice(0, 1) });
      expect(await usage.summarizeRefusals({})).toEqual([
        { code: "invalid_api_key", count: 14 },
        { code: "model_not_allowed", count: 5 },
      ]);
      const range = { fromMs: SAMPLE_TIME_MS + HOUR_MS + 5, toMs: SAMPLE_TIME_MS + HOUR_MS + 6 };
      expect(await usage.summarizeRefusals(range)).toEqual([{ code: "invalid_api_key", count: 8 }]);
    });

    test("counts refusals by key, of all environments or of one", async () => {
      const { store } = fixture;
      const keys = [];
      for (let i = 0; i < 2; i += 1) {
        const key = sampleGatewayKey(await insertBelongings(store));
        await store.gatewayKeys.insert(key);
        keys.push(key);
      }
      const [first, other] = keys;
      if (first === undefined || other === undefined) throw new Error("there are two");
      const refusals = [
        refused(first.id, "ip_not_allowed", 3),
        refused(other.id, "ip_not_allowed", 4),
        refused(first.id, "rate_limited", 5),
        refused(null, "ip_not_allowed", 6),
      ];
      await store.usage.insertBatch({ events: [], refusals });
      const codes = ["ip_not_allowed"];
      const counted = [
        { code: "ip_not_allowed", gatewayKeyId: first.id, count: 3 },
        { code: "ip_not_allowed", gatewayKeyId: other.id, count: 4 },
      ];
      const all = await store.usage.countRefusalsByKey(codes, SAMPLE_TIME_MS);
      expect(all.toSorted((a, b) => a.count - b.count)).toEqual(counted);
      expect(
        await store.usage.countRefusalsByKey(codes, SAMPLE_TIME_MS, other.environmentId),
      ).toEqual(counted.slice(1));
      expect(await store.usage.countRefusalsByKey(codes, SAMPLE_TIME_MS + HOUR_MS)).toEqual([]);
    });
  });
}

function refused(gatewayKeyId: GatewayKeyId | null, code: string, count: number): RefusalCount {
  return { hourMs: SAMPLE_TIME_MS, code, gatewayKeyId, customer: null, count };
}

const NOTHING: Omit<SummaryRow, "group"> = {
  calls: 0,
  failedCalls: 0,
  interruptedCalls: 0,
  unknownCalls: 0,
  estimatedCalls: 0,
  unpricedCalls: 0,
  usageUnknownCalls: 0,
  unmeteredCalls: 0,
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  reasoningOutputTokens: 0,
  costPicos: picos(0n),
  pricePicos: picos(0n),
};

/** The summary as one would write it without a database. */
function summed(
  batch: readonly UsageEvent[],
  { groupBy, fromMs, toMs, filter = {} }: SummaryRequest,
): readonly SummaryRow[] {
  const from = fromMs === undefined ? -Infinity : Math.floor(fromMs / HOUR_MS) * HOUR_MS;
  const to = toMs === undefined ? Infinity : Math.ceil(toMs / HOUR_MS) * HOUR_MS;
  const groups = new Map<string, SummaryRow>();
  if (groupBy.length === 0) groups.set("[]", { group: {}, ...NOTHING });
  for (const event of batch) {
    const of = dimensionsOf(event);
    if (event.startedAtMs < from || event.startedAtMs >= to) continue;
    if ((filter.projectId ?? of.project) !== of.project) continue;
    if ((filter.environmentId ?? of.environment) !== of.environment) continue;
    if ((filter.gatewayKeyId ?? of.key) !== of.key) continue;
    if ((filter.customer ?? of.customer) !== of.customer) continue;
    if ((filter.feature ?? of.feature) !== of.feature) continue;
    if ((filter.model ?? of.model) !== of.model) continue;
    const group = Object.fromEntries(groupBy.map((dimension) => [dimension, of[dimension]]));
    const key = JSON.stringify(groupBy.map((dimension) => of[dimension]));
    groups.set(key, added(groups.get(key) ?? { group, ...NOTHING }, event));
  }
  return [...groups.values()].toSorted((a, b) => {
    for (const dimension of groupBy) {
      const order = compare(a.group[dimension] ?? null, b.group[dimension] ?? null);
      if (order !== 0) return order;
    }
    return 0;
  });
}

function dimensionsOf(event: UsageEvent): Record<SummaryDimension, string | number | null> {
  return {
    project: event.projectId,
    environment: event.environmentId,
    customer: event.customer,
    feature: event.feature,
    model: event.servedModel ?? event.requestedModel,
    key: event.gatewayKeyId,
    hour: Math.floor(event.startedAtMs / HOUR_MS) * HOUR_MS,
    day: Math.floor(event.startedAtMs / DAY_MS) * DAY_MS,
  };
}

function one(isCounted: boolean): number {
  return isCounted ? 1 : 0;
}

function added(row: SummaryRow, event: UsageEvent): SummaryRow {
  const isUnpriced = event.pricing === "unpriced";
  return {
    group: row.group,
    calls: row.calls + 1,
    failedCalls: row.failedCalls + one(event.status === "failed"),
    interruptedCalls: row.interruptedCalls + one(event.status === "interrupted"),
    unknownCalls: row.unknownCalls + one(event.status === "unknown"),
    estimatedCalls: row.estimatedCalls + one(event.usageSource === "estimated"),
    unpricedCalls: row.unpricedCalls + one(isUnpriced && event.usageSource !== "unknown"),
    usageUnknownCalls: row.usageUnknownCalls + one(isUnpriced && event.usageSource === "unknown"),
    unmeteredCalls: row.unmeteredCalls + one(event.pricing === "unmetered"),
    inputTokens: row.inputTokens + totalInputTokens(event.quantities),
    cachedInputTokens: row.cachedInputTokens + totalCachedInputTokens(event.quantities),
    outputTokens: row.outputTokens + totalOutputTokens(event.quantities),
    reasoningOutputTokens: row.reasoningOutputTokens + (event.quantities.reasoningOutput ?? 0),
    costPicos: (row.costPicos + (event.costPicos ?? 0n)) as Picos,
    pricePicos: (row.pricePicos + (event.pricePicos ?? 0n)) as Picos,
  };
}

/** Null first, text byte by byte. */
function compare(a: string | number | null, b: string | number | null): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  if (typeof a === "number" && typeof b === "number") return a - b;
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}
