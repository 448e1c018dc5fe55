import { type AdminAnswer, type AdminClient, expectData } from "../admin/client.ts";
import type { AdminScope, CommandContext, OptionSpec } from "./command.ts";
import { parseCount } from "./parse-count.ts";
import type { Column } from "./table.ts";

/** The options of every command that lists. */
export const PAGE_OPTIONS = {
  limit: { value: "count", description: "how many entries at most, 1 to 1000", default: "50" },
  cursor: { value: "cursor", description: "where the page before ended" },
} as const satisfies Record<string, OptionSpec>;

interface PageOptions {
  readonly limit: string;
  readonly cursor: string | undefined;
}

interface PageAnswer<Item> {
  readonly data: readonly Item[];
  readonly nextCursor: string | null;
}

export interface Listing<Item> {
  /** `projects`, for the word that there are none. */
  readonly what: string;
  /** Before `columns`: it is what gives them the type of an item. */
  readonly fetch: (
    client: AdminClient,
    page: { limit: number; cursor?: string },
  ) => Promise<AdminAnswer<PageAnswer<Item>>>;
  readonly columns: Columns<Item> | ((items: readonly Item[]) => Columns<Item>);
}

type Columns<Item> = readonly Column<Item>[];

/** Prints one page, and how to get at the next. */
export async function printPage<Item>(
  context: CommandContext<PageOptions>,
  { what, columns, fetch }: Listing<Item>,
  scope: AdminScope = "all",
): Promise<void> {
  const { output, options } = context;
  const page = pageOf(options);
  const answer = expectData(await fetch(await context.admin(scope), page));
  await output.data(answer, async () => {
    if (answer.data.length === 0) output.note(`no ${what}`);
    else {
      const shown = typeof columns === "function" ? columns(answer.data) : columns;
      await output.table(answer.data, shown);
    }
    if (answer.nextCursor !== null) output.note(`more: --cursor ${answer.nextCursor}`);
  });
}

/** The query parameters of a page. */
export function pageOf({ limit, cursor }: PageOptions): { limit: number; cursor?: string } {
  const count = parseCount(limit, "--limit");
  return cursor === undefined ? { limit: count } : { limit: count, cursor };
}

/** The most that a page has. */
const FULL_PAGE = 1000;

/** Every item of a list, page after page. */
export async function collectPages<Item>(
  fetch: (page: { limit: number; cursor?: string }) => Promise<AdminAnswer<PageAnswer<Item>>>,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  let page: { limit: number; cursor?: string } = { limit: FULL_PAGE };
  for (;;) {
    const { data, nextCursor } = expectData(await fetch(page));
    items.push(...data);
    if (nextCursor === null) return items;
    page = { limit: FULL_PAGE, cursor: nextCursor };
  }
}
