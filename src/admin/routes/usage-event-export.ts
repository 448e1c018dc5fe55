import { QUANTITY_CLASSES } from "../../core/usage/quantities.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import type { EventFilter, Page } from "../../store/store.ts";
import type { AdminDeps } from "../admin-deps.ts";
import {
  type CsvColumn,
  type ExportFormat,
  type PageExport,
  type StartedExport,
  startPageExport,
} from "../answers/page-export.ts";
import { NameLookup } from "../name-lookup.ts";
import { lastCorrections } from "../repricer.ts";
import { formatUsageEvent, type UsageEventAnswer, usageEventSchema } from "./usage-event-schema.ts";

/** Small, since a page is formatted in one go on the event loop that also serves calls. */
const PAGE_SIZE = 100;

export interface EventExporter {
  /** Rejects when the first page cannot be read. */
  start(
    format: ExportFormat,
    filter: EventFilter,
    asked: Pick<PageExport<UsageEvent, UsageEventAnswer>, "onBreak" | "isStillAllowed">,
  ): Promise<StartedExport>;
}

/** Exports of one app: all together read one page at a time, so that they do not crowd out the rest. */
export function createEventExporter(store: AdminDeps["store"]): EventExporter {
  let turn: Promise<unknown> = Promise.resolve();
  function readPage(filter: EventFilter, cursor: string | undefined): Promise<Page<UsageEvent>> {
    const read = () => store.usage.listEvents({ limit: PAGE_SIZE, cursor }, filter);
    const page = turn.then(read, read);
    turn = page;
    return page;
  }

  return {
    start(format, filter, asked) {
      const names = new NameLookup(store);
      return startPageExport(format, {
        name: "usage-events",
        columns: CSV_COLUMNS,
        readPage: (cursor) => readPage(filter, cursor),
        format: async (events) => {
          const corrections = await lastCorrections({ store }, events);
          const answers: UsageEventAnswer[] = [];
          for (const event of events) {
            answers.push(await formatUsageEvent(event, names, corrections.get(event.id)));
          }
          return answers;
        },
        ...asked,
      });
    },
  };
}

/** The event's own fields in their order, `quantities` as one column a class. */
const CSV_COLUMNS: readonly CsvColumn<UsageEventAnswer>[] = usageEventSchema
  .keyof()
  .options.flatMap((name): CsvColumn<UsageEventAnswer>[] => {
    if (name !== "quantities") return [{ name, cellOf: (event) => event[name] }];
    return QUANTITY_CLASSES.map((each) => ({
      name: `quantities.${each}`,
      cellOf: ({ quantities }) => quantities[each],
    }));
  });
