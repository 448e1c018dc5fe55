import { createRoute, type z } from "@hono/zod-openapi";
import { isId } from "../../core/ids/ids.ts";
import { STANDARD_TIER } from "../../core/pricing/listed-rows.ts";
import { findOverlap } from "../../core/pricing/price-override.ts";
import { nearestName } from "../../core/text/nearest-name.ts";
import { loadPriceOverrides } from "../../store/load-price-overrides.ts";
import type { PriceOverrideRecord } from "../../store/records.ts";
import { MAX_PRICE_OVERRIDES } from "../../store/store.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import type { Problem } from "../answers/error-body.ts";
import { jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse, refuseProblems } from "../answers/refusal.ts";
import { closedObject, closedQuery } from "../fields/closed-object.ts";
import { formatInstant, instantField } from "../fields/instants.ts";
import { idParam } from "../fields/names.ts";
import { listAnswer, listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import { quoteInput } from "../fields/quote-input.ts";
import {
  formatPriceOverride,
  parseBasisPoints,
  priceOverrideInput,
  priceOverrideSchema,
} from "./price-override-schemas.ts";
import { priceFilterFields } from "./price-schemas.ts";
import { unitPricesOf } from "./unit-prices.ts";

const OVERRIDE_ID_PARAM = idParam("pov_01JZ6Y4V2S8W3N5R7T9X0B1C2D");

const listOverrides = createRoute({
  method: "get",
  path: "/price-overrides",
  operationId: "listPriceOverrides",
  tags: ["prices"],
  summary: "List price overrides, newest first",
  description: "Those that have ended among them.",
  request: { query: closedQuery({ ...pagingFields, provider: priceFilterFields.provider }) },
  responses: {
    200: jsonAnswer("A page of overrides.", listOf("PriceOverrideList", priceOverrideSchema)),
    ...errorAnswers(),
  },
});

const createOverride = createRoute({
  method: "post",
  path: "/price-overrides",
  operationId: "createPriceOverride",
  tags: ["prices"],
  summary: "Set a price, or a discount, in place of a listed one",
  description:
    "For calls that begin while it is valid, in every process within a second. Two of the same provider, model, tier and variant may not share an instant: end the older one first. Calls that were made before it was set keep their cost until they are priced again.",
  request: { query: closedQuery({}), body: jsonBody(priceOverrideInput) },
  responses: {
    201: jsonAnswer("The override.", priceOverrideSchema),
    ...errorAnswers("conflict", ...BODY_CODES),
  },
});

const endOverride = createRoute({
  method: "post",
  path: "/price-overrides/{id}/end",
  operationId: "endPriceOverride",
  tags: ["prices"],
  summary: "Bring the end of a price override forward",
  description:
    "An override is never altered or deleted: end it and add another. Ended at its beginning it never holds.",
  request: {
    params: OVERRIDE_ID_PARAM,
    query: closedQuery({}),
    body: jsonBody(
      closedObject({ at: instantField("Until when it holds, exclusive; absent: now.").nullish() }),
    ),
  },
  responses: {
    200: jsonAnswer("The override.", priceOverrideSchema),
    ...errorAnswers("not_found", "conflict", ...BODY_CODES),
  },
});

type OverrideDeps = Pick<AdminDeps, "store" | "ids" | "clock" | "priceBook" | "providers">;

export function registerPriceOverrides(router: AdminRouter, deps: OverrideDeps): void {
  const { store, clock } = deps;

  router.openapi(listOverrides, async (context) => {
    const { provider, ...page } = context.req.valid("query");
    const found = await store.priceOverrides.list(pageRequestOf(page), { provider });
    return context.json(listAnswer(found, formatPriceOverride), 200);
  });

  router.openapi(createOverride, async (context) => {
    const input = context.req.valid("json");
    const record = toRecord(deps, input, context.get("actor"));
    const problems = problemsWith(deps, input, record);
    if (problems.length > 0) return refuseProblems(context, problems);
    const conflict = await insertUnlessTaken(deps, record);
    if (conflict !== undefined) return refuse(context, "conflict", conflict, "validFrom");
    await loadPriceOverrides(deps);
    return context.json(formatPriceOverride(record), 201);
  });

  router.openapi(endOverride, async (context) => {
    const { id } = context.req.valid("param");
    const record = isId("pov", id) ? await store.priceOverrides.findById(id) : undefined;
    if (record === undefined) {
      return refuse(
        context,
        "not_found",
        "There is no price override of this id; `keyward prices overrides` lists them.",
        "id",
      );
    }
    const nowMs = clock.nowMs();
    const validUntilMs = context.req.valid("json").at ?? Math.max(nowMs, record.validFromMs);
    if (validUntilMs < record.validFromMs) {
      const message = `\`at\` must not be before ${formatInstant(record.validFromMs)}, from when the override holds; at that instant it never has held.`;
      return refuseProblems(context, [{ param: "at", message }]);
    }
    const change = { validUntilMs, endedBy: context.get("actor"), endedAtMs: nowMs };
    if (!(await store.priceOverrides.end(record.id, change))) {
      const ended = await store.priceOverrides.findById(record.id);
      const until = formatInstant(ended?.validUntilMs ?? validUntilMs);
      const message = `The override ends at ${until}, which is no later. An end is brought forward, never put off: add another override.`;
      return refuse(context, "conflict", message, "at");
    }
    await loadPriceOverrides(deps);
    return context.json(formatPriceOverride({ ...record, ...change }), 200);
  });
}

type Input = z.output<typeof priceOverrideInput>;

function toRecord({ ids, clock }: OverrideDeps, input: Input, actor: string): PriceOverrideRecord {
  const nowMs = clock.nowMs();
  const isDiscount = input.discountPercent !== undefined;
  const tier = input.tier ?? (isDiscount ? null : STANDARD_TIER);
  return {
    id: ids.create("pov"),
    provider: input.provider,
    model: input.model,
    tier: tier === "standard" || tier === "auto" ? STANDARD_TIER : tier,
    variant: input.variant ?? null,
    unitPrices: isDiscount ? null : unitPricesOf(input),
    discountBasisPoints:
      input.discountPercent === undefined ? null : parseBasisPoints(input.discountPercent),
    validFromMs: input.validFrom ?? nowMs,
    validUntilMs: input.validUntil ?? null,
    note: input.note ?? null,
    createdBy: actor,
    createdAtMs: nowMs,
    endedBy: null,
    endedAtMs: null,
  };
}

function problemsWith(deps: OverrideDeps, input: Input, record: PriceOverrideRecord): Problem[] {
  const problems: Problem[] = [];
  const { unitPrices, validFromMs, validUntilMs } = record;
  const hasPrices = Object.keys(unitPricesOf(input)).length > 0;
  if (unitPrices === null && hasPrices) {
    const message = "`discountPercent` must stand alone: it is taken off the listed prices.";
    problems.push({ param: "discountPercent", message });
  } else if (unitPrices !== null && !hasPrices) {
    const message =
      "`usdPerMillionTokens` must name a price, or `usdPerUnit`, or there is a `discountPercent`.";
    problems.push({ param: "usdPerMillionTokens", message });
  }
  if (record.discountBasisPoints === 0) {
    const message = "`discountPercent` must be more than 0.";
    problems.push({ param: "discountPercent", message });
  }
  if (validUntilMs !== null && validUntilMs <= validFromMs) {
    const message = `\`validUntil\` must be after \`validFrom\`, which is ${formatInstant(validFromMs)}.`;
    problems.push({ param: "validUntil", message });
  }
  const message = providerProblem(deps, record.provider);
  if (message !== undefined) problems.push({ param: "provider", message });
  return problems;
}

/** A name that nobody knows is a slip: its price would never hold. */
function providerProblem({ providers, priceBook }: OverrideDeps, name: string): string | undefined {
  if (providers.find(name)?.isFree === true) {
    return `\`provider\` must not be ${quoteInput(name)}, which charges nothing for any model.`;
  }
  const known = [
    ...new Set([...priceBook.providers(), ...providers.list().map((one) => one.name)]),
  ];
  if (known.includes(name)) return undefined;
  const nearest = nearestName(name, known);
  const advice =
    nearest === undefined ? `known are ${known.toSorted().join(", ")}` : `did you mean ${nearest}?`;
  return `\`provider\` must be one whose calls can be priced; ${advice}`;
}

/** Why it can't be added; undefined when it was. One at a time among all processes, so that no two overlap. */
async function insertUnlessTaken(
  { store }: OverrideDeps,
  record: PriceOverrideRecord,
): Promise<string | undefined> {
  return store.transaction(async ({ priceOverrides }) => {
    const all = await priceOverrides.listAll();
    if (all.length >= MAX_PRICE_OVERRIDES) {
      return `There are ${MAX_PRICE_OVERRIDES} price overrides already, the most there can be.`;
    }
    const other = findOverlap(all, record);
    if (other !== undefined) {
      return overlapMessage(record, other);
    }
    await priceOverrides.insert(record);
    return undefined;
  });
}

/** With what to do: end the older one where the new one begins, which may lie in the past; else begin after it. */
function overlapMessage(record: PriceOverrideRecord, other: PriceOverrideRecord): string {
  const from = formatInstant(other.validFromMs);
  const until =
    other.validUntilMs === null
      ? "until further notice"
      : `until ${formatInstant(other.validUntilMs)}`;
  const endsAt = formatInstant(Math.max(record.validFromMs, other.validFromMs));
  return `${other.id} is for the same provider, model, tier and variant and holds from ${from} ${until}. End it where this one begins: \`keyward prices end ${other.id} --at ${endsAt}\`.`;
}
