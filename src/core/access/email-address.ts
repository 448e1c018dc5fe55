/**
 * One spelling for each address, in one place: what is invited, what is typed at a login and what an identity provider tells are
 * compared as texts, and by a unique index.
 */

/** RFC 5321, section 4.5.3.1.3, less the angle brackets. */
export const MAX_EMAIL_CHARACTERS = 254;
const SHAPE = /^[^\s@\p{C}]+@[^\s@\p{C}]+\.[^\s@\p{C}]+$/u;

/**
 * The address in small letters; undefined for what is none, and for one that another text could be taken for. Letters are made
 * small in ASCII alone: whatever else folding or NFKC would change (U+212A KELVIN SIGN into `k`, full-width letters, an accent that
 * is a character of its own) would let two mailboxes be one member, or one member look like two, so it is refused.
 * Characters that nobody sees (`\p{C}`: control, format, unassigned) are refused for the same reason.
 */
export function parseEmailAddress(text: string): string | undefined {
  const trimmed = text.trim();
  const address = trimmed.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
  if (address.length > MAX_EMAIL_CHARACTERS || !SHAPE.test(address)) return undefined;
  return trimmed.normalize("NFKC").toLowerCase() === address ? address : undefined;
}
