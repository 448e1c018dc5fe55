import { oneLine } from "../core/text/one-line.ts";
import type { AlertMessage, AlertNotice } from "./alert-message.ts";

const MAX_TITLE_CHARACTERS = 300;
const MAX_FACT_CHARACTERS = 200;

/** A message as lines of text; `escape` is put over everything that somebody else may have named. */
export interface TextOf {
  readonly heading: string;
  readonly notices: readonly { readonly title: string; readonly lines: readonly string[] }[];
  /** Empty where nothing was left out. */
  readonly rest: string;
}

export function textOf(message: AlertMessage, escape: (text: string) => string): TextOf {
  const { alerts, total, rule } = message;
  const left = total - alerts.length;
  const more = `${left} more of this kind: see \`keyward alerts list\``;
  return {
    heading: escape(oneLine(headingOf(message), MAX_TITLE_CHARACTERS)),
    notices: alerts.map((notice) => formatNotice(notice, escape)),
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

function formatNotice(notice: AlertNotice, escape: (text: string) => string) {
  const show = (text: string): string => escape(oneLine(text, MAX_FACT_CHARACTERS));
  const facts = notice.facts.map(({ label, value }) => `${show(label)}: ${show(value)}`);
  return {
    title: escape(oneLine(notice.title, MAX_TITLE_CHARACTERS)),
    lines: [...facts, `Next: ${show(notice.command)}`],
  };
}
