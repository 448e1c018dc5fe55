import { InvalidCursorError } from "../store.ts";

export type CursorKey = readonly (string | number)[];
export type CursorShape = readonly ("string" | "number")[];

const MAX_CURSOR_CHARACTERS = 16_384;

/** The opaque cursor after the row with this key: base64url of the list's name and the key. */
export function formatCursor(list: string, key: CursorKey): string {
  return Buffer.from(JSON.stringify([list, ...key]), "utf8").toString("base64url");
}

/** The key in a cursor of this list. Throws InvalidCursorError for anything that `formatCursor` did not make for it. */
export function parseCursor(list: string, shape: CursorShape, cursor: string): CursorKey {
  const refused = new InvalidCursorError(
    "the cursor is not one of this list; use the nextCursor of its page before, or none",
  );
  if (cursor.length > MAX_CURSOR_CHARACTERS) throw refused;
  const bytes = Buffer.from(cursor, "base64url");
  if (bytes.toString("base64url") !== cursor) throw refused;
  let parts: unknown;
  try {
    parts = JSON.parse(bytes.toString("utf8"));
  } catch {
    throw refused;
  }
  if (!Array.isArray(parts) || parts.length !== shape.length + 1 || parts[0] !== list) {
    throw refused;
  }
  const key: (string | number)[] = [];
  for (const [index, type] of shape.entries()) {
    const part: unknown = parts[index + 1];
    if (type === "string" && typeof part === "string") key.push(part);
    else if (type === "number" && typeof part === "number" && Number.isSafeInteger(part)) {
      key.push(part);
    } else throw refused;
  }
  return key;
}
