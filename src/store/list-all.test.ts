import { expect, test } from "vitest";
import { listAll } from "./list-all.ts";

test.each([0, 1, 1_000, 2_500])("reads a list of %d to its end, each row once", async (count) => {
  const rows = Array.from({ length: count }, (_, index) => index);
  const all = await listAll(async ({ limit, cursor = "0" }) => {
    const end = Number(cursor) + limit;
    return {
      rows: rows.slice(Number(cursor), end),
      nextCursor: end < count ? String(end) : null,
    };
  });
  expect(all).toEqual(rows);
});
