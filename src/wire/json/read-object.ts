import type { Readable } from "node:stream";
import { readScannedFields } from "../../wire/json/read-scanned-fields.ts";
import { TopLevelScanner } from "../../wire/json/top-level-scanner.ts";
import type { JsonObject } from "../../wire/openai/operation.ts";

/** Some top-level members of a JSON object, of any size: it is not held. Undefined when it is none. */
export async function readObject(
  body: Readable,
  wanted: { readonly fields: readonly string[]; readonly maxFieldBytes: number | undefined },
): Promise<JsonObject | undefined> {
  const scanner = new TopLevelScanner(new Set(wanted.fields), wanted.maxFieldBytes);
  for await (const chunk of body) scanner.push(chunk as Buffer);
  const scan = scanner.finish();
  return scan === undefined ? undefined : readScannedFields(scan);
}
