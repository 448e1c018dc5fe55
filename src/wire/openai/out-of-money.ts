import { readAnswerError } from "./answer-error.ts";
import { asObject } from "./fields.ts";

/**
 * Whether a 429's body says that the account's money is used up, and not that it calls too often. Source: "Error codes"
 * of OpenAI's guides; other providers of the same API use the same code.
 */
export function isOutOfMoney(body: Buffer): boolean {
  const object = asObject(parse(body));
  if (object === undefined) return false;
  const error = asObject(object["error"]);
  return readAnswerError(object) === OUT_OF_MONEY || error?.["type"] === OUT_OF_MONEY;
}

const OUT_OF_MONEY = "insufficient_quota";

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined; // No JSON, or compressed: it says nothing.
  }
}
