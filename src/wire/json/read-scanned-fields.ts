import { parseJsonText } from "./parse-json-text.ts";
import type { TopLevelScan } from "./top-level-scanner.ts";

/** A list that is longer than this is no list of anything that is counted. */
const MAX_COUNTED_MEMBERS = 100_000;

/**
 * The scanned members as an object; one that is malformed or too long is left out, but for a list that is too long: it is
 * given as that many unknown members.
 */
export function readScannedFields(scan: TopLevelScan): Readonly<Record<string, unknown>> {
  const object: Record<string, unknown> = {};
  for (const [name, field] of scan.fields) {
    if (field.text === undefined) {
      const isCounted = field.memberCount > 0 && field.memberCount <= MAX_COUNTED_MEMBERS;
      if (isCounted) object[name] = Array.from({ length: field.memberCount });
      continue;
    }
    try {
      object[name] = parseJsonText(field.text);
    } catch {
      // A malformed value reports nothing.
    }
  }
  return object;
}
