import { CliError } from "./cli-error.ts";

/** The parser has checked the word against the choices; this gives it the type. */
export function parseChoice<Choice extends string>(
  word: string,
  isChoice: (word: string) => word is Choice,
  flag: string,
): Choice {
  if (isChoice(word)) return word;
  throw new CliError(`${flag} does not take ${JSON.stringify(word)}`, { isUsage: true });
}
