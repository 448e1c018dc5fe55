import { expect, test } from "vitest";
import { BoundedStore } from "./bounded-store.ts";

const item = (name: string) => ({ name });
const names = (store: BoundedStore<{ name: string }>) =>
  store.newestFirst().map(({ name }) => name);

test("past its number of items the oldest make room", () => {
  const store = new BoundedStore<{ name: string }>({ maxItems: 2, maxBytes: 1000 });
  for (const name of ["a", "b", "c"]) store.put(name, item(name), 1);
  expect(names(store)).toEqual(["c", "b"]);
  expect(store.get("a")).toBeUndefined();
});

test("past its bytes as many of the oldest make room as are needed", () => {
  const store = new BoundedStore<{ name: string }>({ maxItems: 10, maxBytes: 100 });
  for (const name of ["a", "b", "c"]) store.put(name, item(name), 30);
  store.put("d", item("d"), 70);
  expect(names(store)).toEqual(["d", "c"]);
});

test("what is larger than the whole store is not kept, and costs no other its place", () => {
  const store = new BoundedStore<{ name: string }>({ maxItems: 10, maxBytes: 100 });
  store.put("a", item("a"), 100);
  store.put("b", item("b"), 101);
  expect(names(store)).toEqual(["a"]);
});

test("what is deleted or replaced gives its bytes back", () => {
  const store = new BoundedStore<{ name: string }>({ maxItems: 10, maxBytes: 100 });
  store.put("a", item("a"), 60);
  store.put("a", item("again"), 60);
  store.put("b", item("b"), 40);
  expect(names(store)).toEqual(["b", "again"]);
  expect([store.delete("a"), store.delete("a")]).toEqual([true, false]);
  store.put("c", item("c"), 60);
  expect(names(store)).toEqual(["c", "b"]);
});
