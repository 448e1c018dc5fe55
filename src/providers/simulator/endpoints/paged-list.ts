import { refuse, type Call, type Refusal } from "../endpoint.ts";

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 10_000;

/** A page of a list as OpenAI's API has them: `limit` items after the one whose id is `after`. */
export function pageOf<Item extends { readonly id: string }>(
  items: readonly Item[],
  { query }: Pick<Call, "query">,
): { readonly items: readonly Item[]; readonly hasMore: boolean } | { readonly refusal: Refusal } {
  const text = query.get("limit") ?? String(DEFAULT_LIMIT);
  const limit = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT) {
    const details = { code: "invalid_value", param: "limit" };
    return { refusal: refuse(400, `'limit' takes 1 to ${MAX_LIMIT}.`, details) };
  }
  const after = query.get("after");
  const start = after === null ? 0 : items.findIndex(({ id }) => id === after) + 1;
  if (after !== null && start === 0) {
    const details = { code: "invalid_value", param: "after" };
    return { refusal: refuse(400, `There is no '${after}' to go on after.`, details) };
  }
  const page = items.slice(start, start + limit);
  return { items: page, hasMore: start + page.length < items.length };
}

/** The list object around a page of what its items look like. */
export function listObject(objects: readonly { readonly id: string }[], hasMore: boolean): object {
  return {
    object: "list",
    data: objects,
    first_id: objects[0]?.id ?? null,
    last_id: objects.at(-1)?.id ?? null,
    has_more: hasMore,
  };
}
