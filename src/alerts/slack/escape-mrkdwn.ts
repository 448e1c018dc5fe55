const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/**
 * A name as a part of a text in Slack's mrkdwn. `&`, `<` and `>` are what Slack asks to be escaped: they begin links and
 * mentions (`<!channel>`). For the rest, which it and its lookalikes read (emphasis, `@all`, `[text](url)`, bare URLs,
 * emoji), there is no escape: a zero-width space behind such a character keeps it from meaning anything.
 */
export function escapeMrkdwn(text: string): string {
  return text
    .replaceAll(/[&<>]/g, (character) => ENTITIES[character] ?? character)
    .replaceAll(/[*_~`@#[\]()|]|:(?=\/\/|\w)/g, "$&\u200B");
}
