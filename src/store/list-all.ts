import { MAX_PAGE_SIZE, type Page, type PageRequest } from "./store.ts";

/** Every row of a list, page after page. For lists that fit into memory: not for events. */
export async function listAll<Row>(
  readPage: (page: PageRequest) => Promise<Page<Row>>,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let cursor: string | undefined;
  do {
    const page = await readPage({ limit: MAX_PAGE_SIZE, cursor });
    rows.push(...page.rows);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return rows;
}
