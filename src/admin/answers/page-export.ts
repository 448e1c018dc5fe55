import type { Page } from "../../store/store.ts";
import { type CsvCell, formatCsvLine } from "./csv-line.ts";

export const EXPORT_FORMATS = ["csv", "jsonl"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface CsvColumn<Answer> {
  readonly name: string;
  readonly cellOf: (answer: Answer) => CsvCell;
}

/** What is exported: every row of a list, as the API answers with it. */
export interface PageExport<Row, Answer> {
  /** Of the file, without its ending. */
  readonly name: string;
  readonly columns: readonly CsvColumn<Answer>[];
  readonly readPage: (cursor: string | undefined) => Promise<Page<Row>>;
  readonly format: (rows: readonly Row[]) => Promise<readonly Answer[]>;
  /** Gets what went wrong after the first page; the reader sees no more than that something did. */
  readonly onBreak: (error: unknown) => void;
  /** Asked with every page: one that is read for hours ends with the token or the session that asked for it. */
  readonly isStillAllowed: () => Promise<boolean>;
}

export interface StartedExport {
  readonly contentType: string;
  readonly fileName: string;
  /** Errors when a page cannot be read; what came before it is then not all. */
  readonly body: ReadableStream<Uint8Array>;
}

const CONTENT_TYPES = {
  csv: "text/csv; charset=utf-8; header=present",
  jsonl: "application/x-ndjson",
} as const satisfies Record<ExportFormat, string>;

/** A page is read when the reader asks for it: a slow one holds one page in memory. Rejects when the first can't be read. */
export async function startPageExport<Row, Answer>(
  format: ExportFormat,
  plan: PageExport<Row, Answer>,
): Promise<StartedExport> {
  const first = await plan.readPage(undefined);
  return {
    contentType: CONTENT_TYPES[format],
    fileName: `${plan.name}.${format}`,
    body: ReadableStream.from(
      whileAllowed(reporting(chunksOf(format, plan, first), plan.onBreak), plan.isStillAllowed),
    ),
  };
}

const ENCODER = new TextEncoder();

async function* chunksOf<Row, Answer>(
  format: ExportFormat,
  { columns, readPage, format: formatRows }: PageExport<Row, Answer>,
  first: Page<Row>,
): AsyncGenerator<Uint8Array> {
  const isCsv = format === "csv";
  const lineOf = (answer: Answer): string =>
    isCsv
      ? formatCsvLine(columns.map(({ cellOf }) => cellOf(answer)))
      : `${JSON.stringify(answer)}\n`;
  let text = isCsv ? formatCsvLine(columns.map(({ name }) => name)) : "";
  let page = first;
  for (;;) {
    for (const answer of await formatRows(page.rows)) text += lineOf(answer);
    yield ENCODER.encode(text);
    if (page.nextCursor === null) return;
    page = await readPage(page.nextCursor);
    text = "";
  }
}

async function* whileAllowed(
  chunks: AsyncGenerator<Uint8Array>,
  isStillAllowed: () => Promise<boolean>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    if (!(await isStillAllowed())) {
      throw new Error("the export broke off: whoever asked for it may not have it any more");
    }
    yield chunk;
  }
}

async function* reporting(
  chunks: AsyncGenerator<Uint8Array>,
  onBreak: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    onBreak(error);
    throw new Error("the export broke off: a page could not be read", { cause: error });
  }
}
