export type CsvCell = string | number | boolean | null | undefined;

/**
 * One record of RFC 4180, with its line end; null and undefined are an empty cell.
 *
 * Text is guarded against formula injection (OWASP, "CSV Injection"): customers, features and models are named by
 * callers, and a spreadsheet would carry out what begins as a formula. Such text gets an apostrophe in front, which
 * spreadsheets show as text; numbers are ours and stay as they are.
 */
export function formatCsvLine(cells: readonly CsvCell[]): string {
  return `${cells.map(formatCell).join(",")}\r\n`;
}

function formatCell(cell: CsvCell): string {
  if (cell === null || cell === undefined) return "";
  if (typeof cell !== "string") return String(cell);
  const text = FORMULA_START.test(cell) ? `'${cell}` : cell;
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Also behind spaces, which some spreadsheets skip, and in the full-width forms. */
const FORMULA_START = /^[ \u{3000}]*[=+\-@\t\r\n\u{FF1D}\u{FF0B}\u{FF0D}\u{FF20}]/u;
const NEEDS_QUOTES = /[",\r\n]|^ | $/;
