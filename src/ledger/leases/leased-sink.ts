import type { LeaseHolder } from "../../core/budgets/lease.ts";
import type { EventSink } from "../ledger.ts";
import type { LeaseBook } from "./lease-book.ts";

/** The way of a process's events to the store, on which what they used goes off its leases: there and here alike. */
export function createLeasedSink(sink: EventSink, book: LeaseBook, holder: LeaseHolder): EventSink {
  const windowsOf = book.heldAgainst.bind(book);
  let isDoubtful = false;
  return {
    insertBatch: (batch) =>
      book.duringFlush(async () => {
        try {
          const written = await sink.insertBatch({ ...batch, lending: { holder, windowsOf } });
          book.flushed(batch.events);
          // The store may have taken these the last time, and leases may have been compared in between.
          if (isDoubtful) book.doubt();
          isDoubtful = false;
          return written;
        } catch (error) {
          isDoubtful = true;
          book.doubt();
          throw error;
        }
      }),
  };
}
