import { counted } from "../text/counted.ts";
import type { LimitMeasure } from "./limit.ts";

const WORDS: Readonly<Record<LimitMeasure, readonly [one: string, many: string]>> = {
  requests: ["request per minute", "requests per minute"],
  tokens: ["token per minute", "tokens per minute"],
  concurrency: ["call at a time", "calls at a time"],
};

/** `1 call at a time`, `6,000 requests per minute` */
export function describeAmount(measure: LimitMeasure, amount: number): string {
  const [one, many] = WORDS[measure];
  return counted(amount, one, many);
}
