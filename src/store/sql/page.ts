import { type SelectQueryBuilder, sql } from "kysely";
import { MAX_PAGE_SIZE, type Page, type PageRequest } from "../store.ts";
import { formatCursor, parseCursor } from "./cursor.ts";
import type { Tables } from "./tables.ts";

interface ListedRow {
  readonly id: string;
  readonly created_at_ms: bigint;
}

/** One page of a list that is kept newest first by (created_at_ms, id). `list` is the name its cursors are bound to. */
export async function newestFirst<Table extends keyof Tables, Row extends ListedRow, Item>(
  list: string,
  query: SelectQueryBuilder<Tables, Table, Row>,
  page: PageRequest,
  toItem: (row: Row) => Item,
): Promise<Page<Item>> {
  let bounded = query
    .orderBy(sql.ref("created_at_ms"), "desc")
    .orderBy(sql.ref("id"), "desc")
    .limit(checkedLimit(page) + 1);
  if (page.cursor !== undefined) {
    const [createdAtMs, id] = parseCursor(list, ["number", "string"], page.cursor);
    bounded = bounded.where(sql<boolean>`(created_at_ms, id) < (${createdAtMs}, ${id})`);
  }
  const rows = await bounded.execute();
  return cutPage(rows as readonly Row[], page, {
    toItem,
    cursorAfter: (row) => formatCursor(list, [Number(row.created_at_ms), row.id]),
  });
}

/** The page of rows that were asked for with one more than the limit: that one says whether there is a next page. */
export function cutPage<Row, Item>(
  rows: readonly Row[],
  page: PageRequest,
  shape: {
    readonly toItem: (row: Row) => Item;
    readonly cursorAfter: (row: Row) => string;
  },
): Page<Item> {
  const kept = rows.slice(0, page.limit);
  const last = kept.at(-1);
  return {
    rows: kept.map(shape.toItem),
    nextCursor: rows.length > page.limit && last !== undefined ? shape.cursorAfter(last) : null,
  };
}

/** The page's limit; a limit out of bounds is a fault of the calling code. */
export function checkedLimit(page: PageRequest): number {
  if (!Number.isInteger(page.limit) || page.limit < 1 || page.limit > MAX_PAGE_SIZE) {
    throw new RangeError(`a page holds 1 to ${MAX_PAGE_SIZE} rows, not ${page.limit}`);
  }
  return page.limit;
}
