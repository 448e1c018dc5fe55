import type { SlackTarget } from "../../core/alerts/alert-channel.ts";
import type { AlertMessage, AlertNotice, AlertSender } from "../alert-message.ts";
import { textOf, type TextStyle } from "../plain-text.ts";
import { postJson, type PostDeps } from "../post-json.ts";
import { codeSpan, escapeMrkdwn } from "./escape-mrkdwn.ts";

/** Slack cuts a text off at 40,000 characters; others that take its webhooks do so earlier. */
const MAX_TEXT_CHARACTERS = 3_500;

/**
 * An incoming webhook of Slack, or of one of the many that take the same (Mattermost, Rocket.Chat, Discord's `/slack`):
 * so the message is one text, which all of them show, and no blocks.
 */
export function createSlackSender(deps: PostDeps): AlertSender<SlackTarget> {
  return {
    send(message, { url }, signal) {
      const body = JSON.stringify({
        text: formatText(message),
        // What looks like a mention or a link in somebody's name stays a name.
        link_names: 0,
        parse: "none",
        unfurl_links: false,
        unfurl_media: false,
      });
      return postJson(deps, { url, headers: {}, body }, signal);
    },
  };
}

const SIGNS: Readonly<Record<AlertNotice["severity"], string>> = {
  critical: ":rotating_light:",
  warning: ":warning:",
  info: ":information_source:",
};

const MRKDWN: TextStyle = { escape: escapeMrkdwn, command: codeSpan };

function formatText(message: AlertMessage): string {
  const { heading, notices, rest } = textOf(message, MRKDWN);
  const worst = message.alerts.find(({ severity }) => severity === "critical") ?? message.alerts[0];
  const lines = [`${SIGNS[worst?.severity ?? "info"]} *${heading}*`];
  for (const { title, lines: facts } of notices) {
    lines.push(...(message.total === 1 ? facts : [`• ${title}`]));
  }
  const text = lines.join("\n");
  const cut = text.length > MAX_TEXT_CHARACTERS ? `${cutLines(text)}\n…` : text;
  return rest === "" ? cut : `${cut}\n${rest}`;
}

/** At the end of a line, so that no escape is cut in two. */
function cutLines(text: string): string {
  return text.slice(0, text.lastIndexOf("\n", MAX_TEXT_CHARACTERS));
}
