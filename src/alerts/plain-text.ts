import { oneLine } from "../core/text/one-line.ts";
import type { AlertMessage, AlertNotice } from "./alert-message.ts";

const MAX_TITLE_CHARACTERS = 300;
const MAX_FACT_CHARACTERS = 200;
const MAX_COMMAND_CHARACTERS = 500;

/** How a kind of text shows what is not its own. */
export interface TextStyle {
  /** Put over everything that somebody else may have named. */
  readonly escape: (text: string) => string;
  /** A command, to be copied. */
  readonly command: (text: string) => string;
}

/** A message as lines of text. */
export interface TextOf {
  readonly heading: string;
  readonly notices: readonly { readonly title: string; readonly lines: readonly string[] }[];
  /** Empty where nothing was left out. */
  readonly rest: string;
}

export function textOf(message: AlertMessage, style: TextStyle): TextOf {
  const { alerts, total, rule } = message;
  const { escape } = style;
  const left = total - alerts.length;
  const more = `${left} more of this kind: see ${style.command("keyward alerts list")}`;
  return {
    heading: escape(oneLine(headingOf(message), MAX_TITLE_CHARACTERS)),
    notices: alerts.map((notice) => formatNotice(notice, style)),
    rest: [
      ...(left > 0 ? [more] : []),
      ...(rule === null ? [] : [`Rule: ${escape(oneLine(rule.name, MAX_FACT_CHARACTERS))}`]),
    ].join("\n"),
  };
}

function headingOf({ alerts, total, rule }: AlertMessage): string {
  const [first] = alerts;
  if (total === 1 && first !== undefined) return first.title;
  return `${total} alerts: ${rule?.name ?? "test"}`;
}

function formatNotice(notice: AlertNotice, { escape, command }: TextStyle) {
  const show = (text: string): string => escape(oneLine(text, MAX_FACT_CHARACTERS));
  const facts = notice.facts.map(({ label, value }) => `${show(label)}: ${show(value)}`);
  return {
    title: escape(oneLine(notice.title, MAX_TITLE_CHARACTERS)),
    lines: [...facts, `Next: ${command(oneLine(notice.command, MAX_COMMAND_CHARACTERS))}`],
  };
}
