/** Which models a routing rule is for: one by its name, all whose name begins so, or (an empty prefix) every call. */
export interface ModelPattern {
  readonly text: string;
  readonly isPrefix: boolean;
}

/** `gpt-4o`, `gpt-4*`, `*`. Undefined for a star anywhere but at the end. */
export function parseModelPattern(pattern: string): ModelPattern | undefined {
  const isPrefix = pattern.endsWith("*");
  const text = isPrefix ? pattern.slice(0, -1) : pattern;
  return text.includes("*") || (text === "" && !isPrefix) ? undefined : { text, isPrefix };
}

/**
 * To the letter, as providers take names: for what allows a model or sends calls somewhere, so that no other spelling is
 * let in. `model` is null where the call names none, or stands where Keyward does not read it: only `*` is for those. */
export function matchesModel({ text, isPrefix }: ModelPattern, model: string | null): boolean {
  if (model === null) return isPrefix && text === "";
  return isPrefix ? model.startsWith(text) : model === text;
}

/**
 * For what counts or limits: whatever case and spaces it is written with, as the price book finds a price for it, so that
 * no spelling goes uncounted.
 */
export function meansModel({ text, isPrefix }: ModelPattern, model: string | null): boolean {
  const named = model === null ? null : model.trim().toLowerCase();
  return matchesModel({ text: text.toLowerCase(), isPrefix }, named);
}
