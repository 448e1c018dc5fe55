const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/**
 * A name as a part of a text in Slack's mrkdwn. `&`, `<` and `>` are what Slack asks to be escaped: they begin links and
 * mentions (`<!channel>`). For the rest, which it and its lookalikes read (emphasis, `@all`, `[text](url)`, bare URLs,
 * emoji), there is no escape: a zero-width space behind such a character keeps it from meaning anything. What means
 * nothing is left as it is, so that ids, times and words with underscores can be copied.
 */
export function escapeMrkdwn(text: string): string {
  return escapeEntities(text)
    .replaceAll(/[*~`@#[\]|]/g, BROKEN)
    .replaceAll(EDGE_UNDERSCORE, BROKEN)
    .replaceAll(EMOJI_OR_URL_COLON, BROKEN);
}

/** As code, to be copied: in it nothing but the end of the code means anything, and that cannot be escaped. */
export function codeSpan(text: string): string {
  return `\`${escapeEntities(text).replaceAll("`", "'")}\``;
}

const BROKEN = "$&\u200B";
/** Between letters or digits (`bud_01M8`) it begins and ends no emphasis. */
const EDGE_UNDERSCORE = /(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu;
/** Of `https://` and `:tada:`, not of `09:00` and `09:00:10`. */
const EMOJI_OR_URL_COLON = /:(?=\/\/|(?!\d{1,2}:)[\w+'-]{1,100}:)/g;

function escapeEntities(text: string): string {
  return text.replaceAll(/[&<>]/g, (character) => ENTITIES[character] ?? character);
}
