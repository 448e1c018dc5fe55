/**
 * The simulator's token rule: a token is a word, that is a longest run of characters other than white space, together
 * with the white space before it; white space at the end of a text is one token more. Joining the tokens gives the
 * text back. An answer therefore consists of exactly as many tokens as its usage says, and anyone can count them.
 */
export function splitTokens(text: string): string[] {
  return text.match(TOKEN) ?? [];
}

/** How many tokens `splitTokens` gives, without making them. */
export function countTokens(text: string): number {
  let count = 0;
  let isInWord = false;
  for (let i = 0; i < text.length; i += 1) {
    const isSpace = isWhiteSpace(text.charCodeAt(i));
    if (!isSpace && !isInWord) count += 1;
    isInWord = !isSpace;
  }
  return isInWord || text === "" ? count : count + 1;
}

const TOKEN = /[ \t\n\r\v\f]*[^ \t\n\r\v\f]+|[ \t\n\r\v\f]+$/g;

/** Space, and tab to carriage return: the white space of ASCII. */
function isWhiteSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}
