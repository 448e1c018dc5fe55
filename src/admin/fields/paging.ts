import { z } from "@hono/zod-openapi";
import {
  DEFAULT_PAGE_SIZE,
  MAX_PAGE_SIZE,
  type Page,
  type PageRequest,
} from "../../store/store.ts";

const MAX_CURSOR_CHARACTERS = 1024;

/** The query parameters of every list. */
export const pagingFields = {
  limit: z
    .string()
    .regex(/^\d{1,9}$/, "must be a whole number")
    .transform(Number)
    .pipe(z.number().min(1).max(MAX_PAGE_SIZE))
    .default(DEFAULT_PAGE_SIZE)
    .openapi({
      type: "integer",
      minimum: 1,
      maximum: MAX_PAGE_SIZE,
      default: DEFAULT_PAGE_SIZE,
      description: "How many entries to answer with at most.",
    }),
  cursor: z
    .string()
    .min(1)
    .max(MAX_CURSOR_CHARACTERS)
    .optional()
    .openapi({ description: "`nextCursor` of the page before; absent for the first." }),
};

export function pageRequestOf(query: {
  readonly limit: number;
  readonly cursor?: string | undefined;
}): PageRequest {
  return { limit: query.limit, cursor: query.cursor };
}

/** The answer of every list. */
export function listOf<Item extends z.ZodType>(name: string, item: Item) {
  return z
    .object({
      data: z.array(item),
      nextCursor: z.string().nullable().openapi({
        description: "Hand it in as `cursor` for the next page; null on the last.",
      }),
    })
    .openapi(name);
}

export function listAnswer<Row, Item>(
  page: Page<Row>,
  format: (row: Row) => Item,
): { data: Item[]; nextCursor: string | null } {
  return { data: page.rows.map(format), nextCursor: page.nextCursor };
}
