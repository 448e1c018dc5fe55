/** A page of docs/ that is made from the code. `test/generated-docs.test.ts` fails when the file is not what is made. */
export interface Page {
  /** Relative to the repository's root. */
  readonly path: string;
  readonly text: string;
}

/** The first line of every generated page. */
export const GENERATED =
  "<!-- Made by `npm run docs` from the code. Change the code, not this file. -->";

/** A Markdown table; `|` and line ends in cells are escaped. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map(formatRow).join("\n");
}

function formatRow(cells: readonly string[]): string {
  return `| ${cells.map(escapeCell).join(" | ")} |`;
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
