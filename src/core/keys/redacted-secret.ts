/** What providers show of a secret: its beginning and its end, `sk-svcacct-a1B…9fQa` or `sk-pro**********9fQa`. */
const HIDDEN_PART = /\*+|\.{2,}|…/;
/** A shorter end says too little. */
const MIN_SHOWN_END = 3;

interface ShownParts {
  readonly beginning: string;
  readonly end: string;
}

/** Whether a secret is the one that is shown so. By what is shown alone: another one may look alike. */
export function isShownAs(secret: string, redacted: string): boolean {
  const shown = shownParts(redacted);
  return shown !== undefined && secret.startsWith(shown.beginning) && secret.endsWith(shown.end);
}

/** Whether what Keyward shows of a secret (`sk-proj-…9fQa`) and what its provider shows can be of one secret. */
export function canBeOneSecret(preview: string, redacted: string): boolean {
  const [own, theirs] = [shownParts(preview), shownParts(redacted)];
  if (own === undefined || theirs === undefined) return false;
  const areBeginningsAlike =
    own.beginning.startsWith(theirs.beginning) || theirs.beginning.startsWith(own.beginning);
  const areEndsAlike = own.end.endsWith(theirs.end) || theirs.end.endsWith(own.end);
  return areBeginningsAlike && areEndsAlike;
}

function shownParts(text: string): ShownParts | undefined {
  const parts = text.split(HIDDEN_PART);
  const [beginning = "", end = ""] = [parts[0], parts.at(-1)];
  return parts.length < 2 || end.length < MIN_SHOWN_END ? undefined : { beginning, end };
}
