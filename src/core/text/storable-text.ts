/** The text as every database can keep it: lone surrogates, and NUL, which Postgres refuses, become U+FFFD. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\u{fffd}");
}
