import { stripVTControlCharacters, styleText } from "node:util";
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
  const head = columns.map(({ title }) => (hasColor ? styleText("bold", title, PLAIN) : title));
  const table = new Table({
    chars: NO_LINES,
    colAligns: columns.map(({ isNumber }) => (isNumber === true ? "right" : "left")),
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [], compact: true },
  });
  table.push(head, ...rows.map((row) => columns.map(({ value }) => printable(value(row)))));
  if (total !== undefined) {
    table.push(total.map((cell) => (hasColor ? styleText("bold", cell, PLAIN) : cell)));
  }
  return table
    .toString()
    .split("\n")
    .map((line) => trimLineEnd(line))
    .join("\n");
}

/** The caller has decided on colour. */
const PLAIN = { validateStream: false } as const;

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

/** Trailing blanks carry nothing; those behind a colour code are found too. */
function trimLineEnd(line: string): string {
  return stripVTControlCharacters(line) === line ? line.trimEnd() : line;
}
