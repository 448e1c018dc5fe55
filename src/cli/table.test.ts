import { expect, test } from "vitest";
import { formatTable } from "./table.ts";

interface Row {
  readonly name: string;
  readonly count: string;
}

const columns = [
  { title: "name", value: (row: Row) => row.name },
  { title: "count", value: (row: Row) => row.count, isNumber: true },
];
const style = { hasColor: false };

test("columns stand below each other, numbers to the right, with nothing at the line ends", () => {
  const rows = [
    { name: "a", count: "1,000" },
    { name: "long name", count: "7" },
  ];
  expect(formatTable(rows, columns, style, ["total", "1,007"])).toBe(
    ["name       count", "a          1,000", "long name      7", "total      1,007"].join("\n"),
  );
});

test("colour marks the head and the total, and nothing else", () => {
  const text = formatTable([{ name: "a", count: "1" }], columns, { hasColor: true }, [
    "total",
    "1",
  ]);
  expect(text.split("\n")).toEqual([
    "\u001b[1mname   count\u001b[22m",
    "a          1",
    "\u001b[1mtotal      1\u001b[22m",
  ]);
});

test("wide characters take the place they take", () => {
  const rows = [
    { name: "株式会社", count: "1" },
    { name: "abcdefgh", count: "1" },
  ];
  const [, first = "", second = ""] = formatTable(rows, columns, style).split("\n");
  expect(first).toBe("株式会社      1");
  expect(second).toBe("abcdefgh      1");
});

test("a value cannot forge a row", () => {
  const rows = [{ name: "acme\nroot  999", count: "1" }];
  expect(formatTable(rows, columns, style).split("\n")).toHaveLength(2);
});
