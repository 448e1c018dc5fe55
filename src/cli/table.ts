import { styleText } from "node:util";
import Table from "cli-table3";
import { printable } from "./printable.ts";

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  /** Numbers stand to the right. */
  readonly isNumber?: boolean;
}

export interface TableStyle {
  readonly hasColor: boolean;
}

/** Columns side by side, two spaces between them, without lines: easy to read, and to cut with other tools. */
export function formatTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { hasColor }: TableStyle,
  total?: readonly string[],
): string {
  const table = new Table({
    chars: NO_LINES,
    colAligns: columns.map(({ isNumber }) => (isNumber === true ? "right" : "left")),
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [], compact: true },
  });
  table.push(
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ value }) => printable(value(row)))),
  );
  if (total !== undefined) table.push([...total]);
  const lines = table.toString().split("\n");
  const last = total === undefined ? -1 : lines.length - 1;
  return lines
    .map((line, index) => {
      const text = line.trimEnd();
      const isMarked = hasColor && (index === 0 || index === last);
      // The caller has decided on colour.
      return isMarked ? styleText("bold", text, { validateStream: false }) : text;
    })
    .join("\n");
}

const NO_LINES: Readonly<Record<string, string>> = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};
