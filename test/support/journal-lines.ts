import type { CallIntent, UsageEvent } from "../../src/core/usage/usage-event.ts";
import { encodeEvent, encodeIntent, writeIntent } from "../../src/ledger/file/journal-record.ts";

export function intentLine(intent: CallIntent): string {
  return encodeIntent(writeIntent(intent));
}

/** Of an event that says of its intent what that had said itself. */
export function eventLine(event: UsageEvent): string {
  return encodeEvent(event, writeIntent(event));
}
