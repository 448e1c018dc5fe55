const MAX_CHARACTERS = 60;

/**
 * Puts something a caller sent into a message: shortened, and without a character that could end the line or steer a
 * terminal. Never for a field that may hold a secret.
 */
export function quoteInput(text: string): string {
  const plain = text.replaceAll(/[\p{C}\p{Zl}\p{Zp}`]/gu, "\u{FFFD}");
  const isLong = plain.length > MAX_CHARACTERS;
  return isLong ? `\`${plain.slice(0, MAX_CHARACTERS).toWellFormed()}…\`` : `\`${plain}\``;
}
