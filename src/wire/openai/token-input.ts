import { asArray } from "./fields.ts";
import type { CountableText } from "./operation.ts";

/**
 * An input of the APIs that take raw text: a string, a list of strings, a list of token ids, or a list of such lists.
 * Token ids count themselves.
 */
export function readTokenInput(input: unknown): CountableText {
  if (typeof input === "string") return { texts: input === "" ? [] : [input], framingTokens: 0 };
  const texts: string[] = [];
  let framingTokens = 0;
  for (const item of asArray(input)) {
    if (typeof item === "string" && item !== "") texts.push(item);
    else if (typeof item === "number") framingTokens += 1;
    else framingTokens += asArray(item).length;
  }
  return { texts, framingTokens };
}
