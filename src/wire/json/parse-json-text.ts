const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
/** Longer ones are worth the way to the parser. */
const MAX_STRING_CHARACTERS = 64;
/** So many digits are a number that is exact. */
const MAX_DIGITS = 15;

/**
 * `JSON.parse`, for texts of which most are an id, a model's name or a count: those are read here, because the way out of
 * compiled code and back takes several times as long as they do. Throws where `JSON.parse` does.
 */
export function parseJsonText(text: string): unknown {
  const first = text.charCodeAt(0);
  if (first === QUOTE) {
    if (isPlainString(text)) return text.slice(1, -1);
  } else if (first >= DIGIT_0 && first <= DIGIT_9) {
    const count = readWholeNumber(text);
    if (count !== undefined) return count;
  } else if (text === "null") return null;
  else if (text === "true") return true;
  else if (text === "false") return false;
  return JSON.parse(text);
}

/** Undefined for what is no whole number of digits alone, without leading zeros. */
export function readWholeNumber(text: string): number | undefined {
  const { length } = text;
  if (length === 0 || length > MAX_DIGITS) return undefined;
  if (length > 1 && text.charCodeAt(0) === DIGIT_0) return undefined;
  let number = 0;
  for (let i = 0; i < length; i += 1) {
    const digit = text.charCodeAt(i);
    if (digit < DIGIT_0 || digit > DIGIT_9) return undefined;
    number = number * 10 + (digit - DIGIT_0);
  }
  return number;
}

function isPlainString(text: string): boolean {
  const last = text.length - 1;
  if (last < 1 || last > MAX_STRING_CHARACTERS || text.charCodeAt(last) !== QUOTE) return false;
  for (let i = 1; i < last; i += 1) {
    const character = text.charCodeAt(i);
    if (character < SPACE || character === QUOTE || character === BACKSLASH) return false;
  }
  return true;
}
