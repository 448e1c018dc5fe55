import type { Edit } from "../json/splice-bytes.ts";
import { scanTopLevel } from "../json/top-level-scanner.ts";

/** Which limit on the output a call is sent with, and what makes it so. */
export interface OutputLimitEdit {
  readonly field: string;
  readonly edits: readonly Edit[];
}

/**
 * Sets the limit on the output of each answer in a JSON body: in every field of `fields` that the body has, since the
 * provider may go by any, else in the first of them. They are the operation's `outputLimits`, less those that the
 * provider does not heed. Undefined where there is none, or the body is no JSON object.
 */
export function editOutputLimit(
  bytes: Buffer,
  fields: readonly string[],
  tokens: number,
): OutputLimitEdit | undefined {
  const [first] = fields;
  const scan = scanTopLevel(bytes, new Set(fields));
  if (first === undefined || scan === undefined) return undefined;
  const text = String(tokens);
  const places = [...scan.fields.values()];
  if (places.length > 0) {
    const [field = first] = scan.fields.keys();
    return { field, edits: places.map(({ start, end }) => ({ start, end, text })) };
  }
  const member = `${scan.isEmpty ? "" : ","}"${first}":${text}`;
  const { closeOffset } = scan;
  return { field: first, edits: [{ start: closeOffset, end: closeOffset, text: member }] };
}
