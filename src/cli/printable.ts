/**
 * Control characters, those that reorder text and those that are not seen: a customer's name or a feature comes from a
 * request, and must not move the cursor, forge a line or hide one in somebody's terminal.
 */
const UNPRINTABLE =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/** The text with every such character spelled out, as `\u{1b}`. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
}

/** Indented JSON in which every such character is escaped, as JSON allows. */
export function printableJson(value: unknown): string {
  const lines = JSON.stringify(value, null, 2).split("\n");
  return lines.map((line) => line.replaceAll(UNPRINTABLE, escapeUnits)).join("\n");
}

/** The same on one line. */
export function printableJsonLine(value: unknown): string {
  return JSON.stringify(value).replaceAll(UNPRINTABLE, escapeUnits);
}

function escapeUnits(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}
