import { QUANTITY_CLASSES } from "../../core/usage/quantities.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import type { EventFilter, Page } from "../../store/store.ts";
import type { AdminDeps } from "../admin-deps.ts";
import { type CsvCell, formatCsvLine } from "../answers/csv-line.ts";
import { NameLookup } from "../name-lookup.ts";
import { lastCorrections } from "../repricer.ts";
import { formatUsageEvent, type UsageEventAnswer, usageEventSchema } from "./usage-event-schema.ts";

export const EXPORT_FORMATS = ["csv", "jsonl"] as const;
type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Small, since a page is formatted in one go on the event loop that also serves calls. */
const PAGE_SIZE = 100;

interface EventExport {
  readonly contentType: string;
  readonly fileName: string;
  /** Errors when a page cannot be read; what came before it is then not all. */
  readonly body: ReadableStream<Uint8Array>;
}

export interface EventExporter {
  /** Rejects when the first page cannot be read. `onBreak` gets what went wrong after that. */
  start(
    format: ExportFormat,
    filter: EventFilter,
    onBreak: (error: unknown) => void,
  ): Promise<EventExport>;
}

/**
 * Exports of one app. A page is read when the reader asks for it, so a slow reader holds one page in memory, and all
 * exports together read one page at a time, so that they do not crowd out the rest.
 */
export function createEventExporter(store: AdminDeps["store"]): EventExporter {
  let turn: Promise<unknown> = Promise.resolve();
  function readPage(filter: EventFilter, cursor: string | undefined): Promise<Page<UsageEvent>> {
    const read = () => store.usage.listEvents({ limit: PAGE_SIZE, cursor }, filter);
    const page = turn.then(read, read);
    turn = page;
    return page;
  }

  return {
    async start(format, filter, onBreak) {
      const { contentType, fileName, head, lineOf } = FORMATS[format];
      const first = await readPage(filter, undefined);

      async function* chunks(): AsyncGenerator<Uint8Array> {
        const names = new NameLookup(store);
        let page = first;
        let text = head;
        for (;;) {
          const corrections = await lastCorrections({ store }, page.rows);
          for (const event of page.rows) {
            text += lineOf(await formatUsageEvent(event, names, corrections.get(event.id)));
          }
          yield ENCODER.encode(text);
          if (page.nextCursor === null) return;
          page = await readPage(filter, page.nextCursor);
          text = "";
        }
      }

      const body = ReadableStream.from(reporting(chunks(), onBreak));
      return { contentType, fileName, body };
    },
  };
}

/** Tells the log what went wrong, and the reader only that something did. */
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

const ENCODER = new TextEncoder();

interface CsvColumn {
  readonly name: string;
  readonly cellOf: (event: UsageEventAnswer) => CsvCell;
}

/** The event's own fields in their order, `quantities` as one column a class. */
const CSV_COLUMNS: readonly CsvColumn[] = usageEventSchema
  .keyof()
  .options.flatMap((name): CsvColumn[] => {
    if (name !== "quantities") return [{ name, cellOf: (event) => event[name] }];
    return QUANTITY_CLASSES.map((each) => ({
      name: `quantities.${each}`,
      cellOf: ({ quantities }) => quantities[each],
    }));
  });

const FORMATS = {
  csv: {
    contentType: "text/csv; charset=utf-8; header=present",
    fileName: "usage-events.csv",
    head: formatCsvLine(CSV_COLUMNS.map(({ name }) => name)),
    lineOf: (answer: UsageEventAnswer) =>
      formatCsvLine(CSV_COLUMNS.map(({ cellOf }) => cellOf(answer))),
  },
  jsonl: {
    contentType: "application/x-ndjson",
    fileName: "usage-events.jsonl",
    head: "",
    lineOf: (answer: UsageEventAnswer) => `${JSON.stringify(answer)}\n`,
  },
} as const satisfies Record<ExportFormat, object>;
