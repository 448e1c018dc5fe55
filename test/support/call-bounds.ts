/** Requests as tests write them, and what a call of them can cost at most by the shipped prices. */
import { deepStrictEqual } from "node:assert";
import { type CallBound } from "../../src/core/budgets/call-bound.ts";
import {
  DEFAULT_BOUND_CEILINGS,
  type BoundWay,
  type WorstCase,
} from "../../src/core/budgets/worst-case.ts";
import { BUILT_IN_PRICE_LIST } from "../../src/core/pricing/built-in-price-list.ts";
import { createPriceBook } from "../../src/core/pricing/create-price-book.ts";
import { readCallBound } from "../../src/wire/bounds/read-call-bound.ts";
import { findOperation } from "../../src/wire/find-operation.ts";
import { SoughtNames } from "../../src/wire/json/sought-names.ts";
import { TopLevelScanner } from "../../src/wire/json/top-level-scanner.ts";

const PEEKED = ["model", "stream", "n", "max_tokens"];

export const BOUND_AT_MS = Date.parse("2026-11-20T12:00:00Z");
export const shippedPrices = createPriceBook(BUILT_IN_PRICE_LIST, { freeProviders: ["simulator"] });
export const boundDeps = { priceBook: shippedPrices, ceilings: DEFAULT_BOUND_CEILINGS };

export function wayTo(models: string | readonly string[], provider = "openai"): BoundWay {
  const [model = null, ...otherModels] = [models].flat();
  return { provider, model, otherModels, atMs: BOUND_AT_MS, ignoredLimits: [] };
}

export function boundOf(path: string, body: unknown): CallBound {
  const bytes = Buffer.from(JSON.stringify(body));
  const request = { bytes, byteLength: bytes.length, fields: null };
  const operation = findOperation("POST", path);
  const bound = readCallBound(operation, request);
  // As the gateway does it: the fields were found while the body came in, together with others.
  const scanner = new TopLevelScanner(new SoughtNames(PEEKED, operation.boundFields));
  scanner.push(bytes);
  const scan = scanner.finish() ?? null;
  const isOneReading = scan?.duplicate === undefined && scan?.lookAlike === undefined;
  if (isOneReading) deepStrictEqual(readCallBound(operation, { ...request, scan }), bound);
  return bound;
}

export function amountOf(worstCase: WorstCase): bigint {
  return worstCase.kind === "bounded" ? BigInt(worstCase.amount) : 0n;
}
