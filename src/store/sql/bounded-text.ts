import { createHash } from "node:crypto";
import { storableText } from "../../core/text/storable-text.ts";

/** Longest text of a call that is kept as it came, in UTF-16 units. Fits every index of Postgres (2,704 bytes an entry). */
const MAX_TEXT_CHARACTERS = 256;
const HASH_CHARACTERS = 32;

/**
 * Text of a call (customer, feature, model, a provider's ids) as it is kept. Callers and providers choose it freely,
 * and one text that a database refuses would hold up every event behind it: so NUL, which Postgres cannot store,
 * becomes U+FFFD, and a text that is too long keeps its beginning and gets a hash of the whole as its end, so that
 * two long ones stay two.
 */
export function boundedText(text: string): string {
  if (text.length <= MAX_TEXT_CHARACTERS && text.isWellFormed() && !text.includes("\u0000")) {
    return text;
  }
  const storable = storableText(text);
  if (storable.length <= MAX_TEXT_CHARACTERS) return storable;
  const hash = createHash("sha256")
    .update(storable, "utf8")
    .digest("hex")
    .slice(0, HASH_CHARACTERS);
  const beginning = storable.slice(0, MAX_TEXT_CHARACTERS - HASH_CHARACTERS - 1).toWellFormed();
  return `${beginning}~${hash}`;
}

/** As `boundedText`; an empty text names nothing and is kept as null. */
export function boundedName(text: string | null | undefined): string | null {
  return text === null || text === undefined || text === "" ? null : boundedText(text);
}
