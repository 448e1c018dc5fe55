import { CliError } from "./cli-error.ts";

/** A whole number, not negative. */
export function parseCount(text: string, flag: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new CliError(`${flag} takes a whole number; got ${JSON.stringify(text)}`, {
    isUsage: true,
  });
}
