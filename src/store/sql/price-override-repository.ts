import type { Selectable } from "kysely";
import type { PriceOverrideId } from "../../core/ids/ids.ts";
import type { UnitPrices } from "../../core/pricing/price-book.ts";
import type { PriceOverrideRecord } from "../records.ts";
import {
  MAX_PRICE_OVERRIDES,
  type Page,
  type PageRequest,
  type PriceOverrideRepository,
} from "../store.ts";
import { recordChange } from "./change-repository.ts";
import { newestFirst } from "./page.ts";
import { type Connections, exclusively } from "./sql-engine.ts";
import type { PriceOverrideTable } from "./tables.ts";

export class SqlPriceOverrideRepository implements PriceOverrideRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(record: PriceOverrideRecord): Promise<void> {
    await exclusively(this.#connections, async (db) => {
      await db
        .insertInto("price_overrides")
        .values({
          id: record.id,
          provider: record.provider,
          model: record.model,
          tier: record.tier,
          variant: record.variant,
          unit_prices: record.unitPrices && formatUnitPrices(record.unitPrices),
          discount_basis_points: record.discountBasisPoints,
          valid_from_ms: record.validFromMs,
          valid_until_ms: record.validUntilMs,
          note: record.note,
          created_by: record.createdBy,
          created_at_ms: record.createdAtMs,
          ended_by: record.endedBy,
          ended_at_ms: record.endedAtMs,
        })
        .execute();
      await recordChange(db, "priceOverride", record.id);
    });
  }

  async findById(id: PriceOverrideId): Promise<PriceOverrideRecord | undefined> {
    const row = await this.#rows().where("id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  }

  async listAll(): Promise<readonly PriceOverrideRecord[]> {
    const rows = await this.#rows()
      .orderBy("created_at_ms")
      .orderBy("id")
      .limit(MAX_PRICE_OVERRIDES)
      .execute();
    return rows.map(toRecord);
  }

  async list(
    page: PageRequest,
    filter: { readonly provider?: string | undefined } = {},
  ): Promise<Page<PriceOverrideRecord>> {
    let rows = this.#rows();
    if (filter.provider !== undefined) rows = rows.where("provider", "=", filter.provider);
    return await newestFirst("priceOverrides", rows, page, toRecord);
  }

  async end(
    id: PriceOverrideId,
    change: Parameters<PriceOverrideRepository["end"]>[1],
  ): Promise<boolean> {
    const { validUntilMs, endedBy, endedAtMs } = change;
    return await exclusively(this.#connections, async (db) => {
      const result = await db
        .updateTable("price_overrides")
        .set({ valid_until_ms: validUntilMs, ended_by: endedBy, ended_at_ms: endedAtMs })
        .where("id", "=", id)
        .where((where) =>
          where.or([
            where("valid_until_ms", "is", null),
            where("valid_until_ms", ">", BigInt(validUntilMs)),
          ]),
        )
        .executeTakeFirst();
      if (result.numUpdatedRows === 0n) return false;
      await recordChange(db, "priceOverride", id);
      return true;
    });
  }

  #rows() {
    return this.#connections.read.selectFrom("price_overrides").selectAll();
  }
}

function toRecord(row: Selectable<PriceOverrideTable>): PriceOverrideRecord {
  return {
    id: row.id,
    provider: row.provider,
    model: row.model,
    tier: row.tier,
    variant: row.variant,
    unitPrices: row.unit_prices === null ? null : parseUnitPrices(row.unit_prices),
    discountBasisPoints: toNumber(row.discount_basis_points),
    validFromMs: Number(row.valid_from_ms),
    validUntilMs: toNumber(row.valid_until_ms),
    note: row.note,
    createdBy: row.created_by,
    createdAtMs: Number(row.created_at_ms),
    endedBy: row.ended_by,
    endedAtMs: toNumber(row.ended_at_ms),
  };
}

function toNumber(value: bigint | null): number | null {
  return value === null ? null : Number(value);
}

/** Decimal strings: a JSON number would lose digits beyond 2^53. */
function formatUnitPrices(prices: UnitPrices): string {
  const entries = Object.entries(prices).map(([name, price]) => [name, price.toString()]);
  return JSON.stringify(Object.fromEntries(entries));
}

function parseUnitPrices(text: string): UnitPrices {
  const prices = JSON.parse(text) as Readonly<Record<string, string>>;
  return Object.fromEntries(Object.entries(prices).map(([name, price]) => [name, BigInt(price)]));
}
