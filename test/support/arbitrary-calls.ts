import * as fc from "fast-check";
import type { Id } from "../../src/core/ids/ids.ts";
import { picos } from "../../src/core/money/picos.ts";
import { QUANTITY_CLASSES } from "../../src/core/usage/quantities.ts";
import {
  type CallIntent,
  type CallOutcome,
  EVENT_STATUSES,
  PRICING_STATES,
  USAGE_SOURCES,
  type UsageEvent,
} from "../../src/core/usage/usage-event.ts";

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ".split("");

const idOf = <Prefix extends string>(prefix: Prefix) =>
  fc
    .array(fc.constantFrom(...CROCKFORD), { minLength: 25, maxLength: 25 })
    .map((digits) => `${prefix}_0${digits.join("")}` as Id<Prefix>);
/** Any text at all: line feeds, quotes, NUL, lone surrogates. */
const text = fc.string({ unit: "binary", maxLength: 40 });
const orNull = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null });
const amount = orNull(fc.bigInt({ min: 0n, max: 10n ** 30n }).map(picos));
const millis = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

export const anyIntent: fc.Arbitrary<CallIntent> = fc.record({
  id: idOf("evt"),
  requestId: idOf("req"),
  attempt: fc.integer({ min: 1, max: 10 }),
  startedAtMs: millis,
  projectId: idOf("prj"),
  environmentId: idOf("env"),
  gatewayKeyId: idOf("key"),
  customer: orNull(text),
  feature: orNull(text),
  operation: text,
  method: text,
  path: text,
  provider: text,
  providerAccountId: orNull(idOf("acc")),
  providerKeyId: orNull(idOf("pky")),
  requestedModel: orNull(text),
  isStream: fc.boolean(),
  holdPicos: amount,
});

export const anyOutcome: fc.Arbitrary<CallOutcome> = fc.record({
  status: fc.constantFrom(...EVENT_STATUSES),
  httpStatus: orNull(fc.integer({ min: 100, max: 599 })),
  durationMs: millis,
  firstByteMs: orNull(millis),
  providerResponseId: orNull(text),
  sentModel: orNull(text),
  servedModel: orNull(text),
  serviceTier: orNull(text),
  variant: orNull(text),
  usageSource: fc.constantFrom(...USAGE_SOURCES),
  quantities: fc.dictionary(fc.constantFrom(...QUANTITY_CLASSES), millis, {
    noNullPrototype: true,
  }),
  pricing: fc.constantFrom(...PRICING_STATES),
  costPicos: amount,
  pricePicos: amount,
  priceRowId: orNull(text),
});

export const anyEvent: fc.Arbitrary<UsageEvent> = fc
  .tuple(anyIntent, anyOutcome)
  .map(([intent, outcome]) => ({ ...intent, ...outcome }));
