const MAX_PLACE_CHARACTERS = 500;
const MAX_SOURCE_CHARACTERS = 64;
const SOURCE = /^[\w .:/-]+$/;

/**
 * Where a stranger says that a secret was found, as far as it may be kept: the address of a page without what can carry
 * more (credentials, query, fragment), and nothing that has the secret in it.
 */
export function placeOfLeak(url: string | undefined, secret: string): string | null {
  if (url === undefined || !URL.canParse(url)) return null;
  const { protocol, host, pathname } = new URL(url);
  if (protocol !== "https:" && protocol !== "http:") return null;
  const place = `${protocol}//${host}${pathname}`;
  return place.length <= MAX_PLACE_CHARACTERS && !holds(place, secret) ? place : null;
}

/** What found it, in a stranger's word: `commit`, `issue_comment`. */
export function sourceOfLeak(source: string | undefined, secret: string): string | null {
  const word = source?.trim() ?? "";
  if (word.length > MAX_SOURCE_CHARACTERS || !SOURCE.test(word)) return null;
  return holds(word, secret) ? null : word;
}

function holds(text: string, secret: string): boolean {
  // A host is in lower case, whatever was sent.
  const hay = [text, decoded(text)].map((one) => one.toLowerCase());
  return hay.some((one) => one.includes(secret.toLowerCase()));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // Not encoded as a URL is, so there is nothing behind it.
  }
}
