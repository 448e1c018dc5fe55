/** Characters that steer a terminal, break a line, reorder text or are not seen. */
const UNSEEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/**
 * A name that somebody else chose, as a part of a message for people: on one line, without what could forge another one
 * or hide, and no longer than it needs to be known again.
 */
export function oneLine(text: string, maxCharacters: number): string {
  const plain = text.toWellFormed().replaceAll(UNSEEN, "\u{FFFD}");
  if (plain.length <= maxCharacters) return plain;
  return `${plain.slice(0, maxCharacters - 1).toWellFormed()}…`;
}
