import type { Edit } from "../json/splice-bytes.ts";
import type { TopLevelScan } from "../json/top-level-scanner.ts";

/** Which limit on the output a call is sent with, and what makes it so. */
export interface OutputLimitEdit {
  readonly field: string;
  readonly edits: readonly Edit[];
}

/**
 * Sets the limit on the output of each answer in a JSON body, which was scanned for `fields`: in every one it has, since the
 * provider may go by any, else in the first of them. They are the operation's `outputLimits`, less those that the
 * provider does not heed. Undefined where there is none.
 */
export function editOutputLimit(
  scan: TopLevelScan,
  fields: readonly string[],
  tokens: number,
): OutputLimitEdit | undefined {
  const [first] = fields;
  if (first === undefined) return undefined;
  const text = String(tokens);
  const places = [...scan.fields].filter(([name]) => fields.includes(name));
  const [found] = places;
  if (found !== undefined) {
    const [field] = found;
    return { field, edits: places.map(([, { start, end }]) => ({ start, end, text })) };
  }
  const member = `${scan.isEmpty ? "" : ","}"${first}":${text}`;
  const { closeOffset } = scan;
  return { field: first, edits: [{ start: closeOffset, end: closeOffset, text: member }] };
}
