import { z } from "@hono/zod-openapi";
import type { UnitPrices } from "../../core/pricing/price-book.ts";
import {
  UNITS_OF_CLASSES,
  formatUnitPrice,
  parseUnitPrice,
} from "../../core/pricing/published-units.ts";
import {
  TOKEN_CLASSES,
  UNIT_CLASSES,
  type QuantityClass,
  type TokenClass,
} from "../../core/usage/quantities.ts";
import { closedObject } from "../fields/closed-object.ts";

type UnitField = (typeof UNITS_OF_CLASSES)[keyof typeof UNITS_OF_CLASSES]["field"];

const price = z.string().optional();
const UNIT_FIELDS = UNIT_CLASSES.map((name) => UNITS_OF_CLASSES[name].field);

/** The two fields in which the API shows prices. */
export const unitPriceAnswers = {
  usdPerMillionTokens: z.object(fieldsOf(TOKEN_CLASSES, price)).openapi("UsdPerMillionTokens", {
    description:
      'Decimal strings in USD, exact. A class that is absent has no price of its own; "0" is free.',
    example: { input: "0.15", cachedInput: "0.075", output: "0.6" },
  }),
  usdPerUnit: z
    .object(fieldsOf<UnitField, typeof price>(UNIT_FIELDS, price))
    .openapi("UsdPerUnit", {
      description: "What is not charged by tokens, in USD for each.",
      example: { audioMinute: "0.006" },
    }),
};

type UnitPriceAnswer = {
  -readonly [Name in keyof typeof unitPriceAnswers]: z.infer<(typeof unitPriceAnswers)[Name]>;
};

export function formatUnitPrices(unitPrices: UnitPrices): UnitPriceAnswer {
  const answer: UnitPriceAnswer = { usdPerMillionTokens: {}, usdPerUnit: {} };
  for (const name of TOKEN_CLASSES) {
    const picos = unitPrices[name];
    if (picos !== undefined) answer.usdPerMillionTokens[name] = formatUnitPrice(name, picos);
  }
  for (const name of UNIT_CLASSES) {
    const picos = unitPrices[name];
    if (picos !== undefined) {
      answer.usdPerUnit[UNITS_OF_CLASSES[name].field] = formatUnitPrice(name, picos);
    }
  }
  return answer;
}

type UnitPriceInput = {
  readonly [Name in keyof typeof unitPriceAnswers]?:
    | Readonly<Partial<Record<string, bigint | undefined>>>
    | undefined;
};

/** The two fields in which the API is told prices: as it shows them. */
export const unitPriceInputs = {
  usdPerMillionTokens: closedObject(
    Object.fromEntries(TOKEN_CLASSES.map((name) => [name, priceField(name)])) as Record<
      TokenClass,
      ReturnType<typeof priceField>
    >,
  ),
  usdPerUnit: closedObject(
    Object.fromEntries(
      UNIT_CLASSES.map((name) => [UNITS_OF_CLASSES[name].field, priceField(name)]),
    ) as Record<UnitField, ReturnType<typeof priceField>>,
  ),
};

/** What came in those two fields, by class. */
export function unitPricesOf({ usdPerMillionTokens = {}, usdPerUnit = {} }: UnitPriceInput) {
  const prices: Partial<Record<QuantityClass, bigint>> = {};
  for (const name of TOKEN_CLASSES) {
    const picos = usdPerMillionTokens[name];
    if (picos !== undefined) prices[name] = picos;
  }
  for (const name of UNIT_CLASSES) {
    const picos = usdPerUnit[UNITS_OF_CLASSES[name].field];
    if (picos !== undefined) prices[name] = picos;
  }
  return prices;
}

function priceField(name: QuantityClass) {
  return z
    .string()
    .transform((text, context) => {
      const parsed = parseUnitPrice(name, text);
      if ("picosPerUnit" in parsed) return parsed.picosPerUnit;
      context.issues.push({ code: "custom", message: parsed.refusal, input: text });
      return z.NEVER;
    })
    .optional()
    .openapi({ type: "string" });
}

/** `{ [name]: schema }`, so that the types name every field. */
export function fieldsOf<Name extends string, Schema extends z.ZodType>(
  names: readonly Name[],
  schema: Schema,
): Record<Name, Schema> {
  return Object.fromEntries(names.map((name) => [name, schema])) as Record<Name, Schema>;
}
