import { expect, test } from "vitest";
import { adminUnderTest, NOW_MS } from "../../../test/support/admin-under-test.ts";
import type { PageRequest } from "../../store/paging.ts";
import { BY_LOCAL } from "../open-audit.ts";
import { carryOverAccess } from "./carry-over-access.ts";

const admin = adminUnderTest();

test("ends the client tokens of every environment, however many there are", async () => {
  const { store } = admin.deps;
  const { environments } = store;
  // Fewer a page than there are, so that whoever reads only the first is found out.
  const inPages = new Proxy(environments, {
    get: (target, name) =>
      name === "list"
        ? (page: PageRequest) => environments.list({ ...page, limit: Math.min(2, page.limit) })
        : (Reflect.get(target, name, target) as unknown),
  });
  const paged = new Proxy(store, {
    get: (target, name) =>
      name === "environments" ? inPages : (Reflect.get(target, name, target) as unknown),
  });
  await store.as(BY_LOCAL, () => carryOverAccess(undefined, paged, NOW_MS));
  const { rows } = await environments.list({ limit: 10 });
  expect(rows.length).toBeGreaterThan(2);
  const ended = await store.exposure.clientTokens.listAll();
  expect(new Set(ended.map(({ subject }) => subject))).toEqual(new Set(rows.map(({ id }) => id)));
});
