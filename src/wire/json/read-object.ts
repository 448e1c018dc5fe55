import { readScannedFields } from "./read-scanned-fields.ts";
import { SoughtNames } from "./sought-names.ts";
import { TopLevelScanner } from "./top-level-scanner.ts";

/** Some top-level members of a JSON object, of any size: it is not held. Undefined when it is none. */
export async function readObject(
  body: AsyncIterable<Buffer>,
  wanted: { readonly fields: readonly string[]; readonly maxFieldBytes: number | undefined },
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const scanner = new TopLevelScanner(new SoughtNames(wanted.fields), wanted.maxFieldBytes);
  for await (const chunk of body) scanner.push(chunk);
  const scan = scanner.finish();
  return scan === undefined ? undefined : readScannedFields(scan);
}
