/** A list as it stands in one column. */
export function formatList(list: readonly string[] | null): string | null {
  return list === null ? null : JSON.stringify(list);
}

/** What was written by `formatList`, from the same column. */
export function parseList(text: string | null): readonly never[] | null {
  return text === null ? null : (JSON.parse(text) as readonly never[]);
}
