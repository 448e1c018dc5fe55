import { KnownNames } from "../json/known-names.ts";
import { skipSpace, skipString } from "../json/walk-json.ts";

const PLAIN_MEMBERS = new KnownNames(["role", "content", "name"]);

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Whether what stands there is a list of messages that are texts and nothing else, `{"role": "user", "content": "…"}`, as
 * most are: so that there is nothing to look for in them. What is not recognised may be one all the same.
 */
export function areTextsAlone(
  bytes: Buffer,
  { start, end }: { readonly start: number; readonly end: number },
): boolean {
  let at = skipSpace(bytes, start, end);
  if (bytes[at] !== OPEN_BRACKET) return false;
  do {
    at = textMessageEnd(bytes, skipSpace(bytes, at + 1, end), end);
    if (at === NONE) return false;
    at = skipSpace(bytes, at, end);
  } while (bytes[at] === COMMA && at < end);
  return bytes[at] === CLOSE_BRACKET && skipSpace(bytes, at + 1, end) === end;
}

const NONE = -1;

/** Behind the object that begins there, or `NONE`. */
function textMessageEnd(bytes: Buffer, from: number, end: number): number {
  if (bytes[from] !== OPEN_BRACE) return NONE;
  let at = from;
  do {
    const nameStart = skipSpace(bytes, at + 1, end);
    if (bytes[nameStart] !== QUOTE) return NONE;
    const nameEnd = skipString(bytes, nameStart, end);
    // An escape in it is no part of these names.
    if (PLAIN_MEMBERS.find(bytes, nameStart + 1, nameEnd - 1) === undefined) return NONE;
    const colon = skipSpace(bytes, nameEnd, end);
    const textStart = skipSpace(bytes, colon + 1, end);
    if (bytes[colon] !== COLON || bytes[textStart] !== QUOTE) return NONE;
    const textEnd = skipString(bytes, textStart, end);
    if (textEnd === NONE) return NONE;
    at = skipSpace(bytes, textEnd, end);
  } while (bytes[at] === COMMA && at < end);
  return bytes[at] === CLOSE_BRACE && at < end ? at + 1 : NONE;
}
