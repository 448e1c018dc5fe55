/** What the text of a field says, and may be: for heads that are read and heads that are written, of requests and of answers. */

/** RFC 9110, section 5.6.2; in lower case, as all names are here. */
const NAMES = /^[!#$%&'*+.^_`|~0-9a-z-]*$/;
/** What no field may hold: a line end in it would begin another field, or another message. */
// eslint-disable-next-line no-control-regex
const FORBIDDEN_IN_VALUES = /[^\t\u0020-\u007e\u0080-\u00ff]/;
const MAX_LENGTH_DIGITS = 15;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/**
 * Whether fields can be sent, by all their names and all their values, each in one piece: that is one look in place of
 * two for every field. Names must not be empty, which does not show any more.
 */
export function areSendable(names: string, values: string): boolean {
  return NAMES.test(names) && !FORBIDDEN_IN_VALUES.test(values);
}

/** Of a flat list of names and values; the name only, because values may be secrets. */
export function unsendableNameIn(headers: readonly string[]): string {
  const isWrong = (text: string, i: number): boolean =>
    i % 2 === 0 && !areSendable(text, headers[i + 1] ?? "");
  return headers.find(isWrong) ?? "";
}

/** A length in bytes; undefined where that is no number in digits, or one that would not be exact. */
export function parseLength(text: string): number | undefined {
  if (text === "" || text.length > MAX_LENGTH_DIGITS) return undefined;
  let length = 0;
  for (let i = 0; i < text.length; i += 1) {
    const digit = text.charCodeAt(i);
    if (digit < DIGIT_0 || digit > DIGIT_9) return undefined;
    length = length * 10 + (digit - DIGIT_0);
  }
  return length;
}

/** Whether a connection field names the option (RFC 9110, section 7.6.1). */
export function hasOption(connection: string | undefined, option: "close" | "keep-alive"): boolean {
  if (connection === undefined) return false;
  if (connection === "close" || connection === "keep-alive") return connection === option;
  const options = connection.toLowerCase().split(",");
  return options.some((one) => one.trim() === option);
}
