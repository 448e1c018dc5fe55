import { z } from "@hono/zod-openapi";
import { STANDARD_TIER } from "../../core/pricing/listed-rows.ts";
import type { PriceOverrideRecord } from "../../store/records.ts";
import { closedObject } from "../fields/closed-object.ts";
import {
  formatInstant,
  formatOptionalInstant,
  instantAnswer,
  instantField,
} from "../fields/instants.ts";
import { formatUnitPrices, unitPriceAnswers, unitPriceInputs } from "./unit-prices.ts";

const MAX_NOTE_CHARACTERS = 500;
const MAX_WORD_CHARACTERS = 64;
/** Letters in any script, and the signs that names of models have. */
const MODEL_PATTERN = /^[\p{L}\p{N}._:/@+~ -]{0,127}\*?$/u;

const word = z
  .string()
  .trim()
  .toLowerCase()
  .regex(
    new RegExp(`^[a-z0-9][a-z0-9._/-]{0,${MAX_WORD_CHARACTERS - 1}}$`),
    "must be letters, digits and `._/-`, at most 64",
  );

export const priceOverrideSchema = z
  .object({
    id: z.string().openapi({ example: "pov_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    provider: z.string(),
    model: z.string().openapi({ description: "A name, or the beginning of names with `*`." }),
    tier: z.string().nullable().openapi({ description: "Null, of a discount: every tier." }),
    variant: z.string().nullable(),
    usdPerMillionTokens: z.union([unitPriceAnswers.usdPerMillionTokens, z.null()]),
    usdPerUnit: z.union([unitPriceAnswers.usdPerUnit, z.null()]),
    discountPercent: z.string().nullable().openapi({
      description: "Off the listed price. Either this or prices.",
      example: "10",
    }),
    validFrom: instantAnswer("Inclusive."),
    validUntil: instantAnswer("Exclusive; null: until further notice.").nullable(),
    note: z.string().nullable(),
    createdBy: z.string().openapi({ description: "The admin token's name, or `local`." }),
    createdAt: instantAnswer("When it was written down."),
    endedBy: z.string().nullable().openapi({ description: "Who brought its end forward." }),
    endedAt: instantAnswer("When they did.").nullable(),
  })
  .openapi("PriceOverride");

export const priceOverrideInput = closedObject({
  provider: word.openapi({ example: "openai" }),
  model: z
    .string()
    .trim()
    .min(1)
    .regex(MODEL_PATTERN, "must be a model's name, or its beginning with one `*` at the end")
    .openapi({
      description:
        "A model's name: of a listed model it holds for all its names. Or the beginning of names with `*` at the end; the most exact override holds.",
      example: "gpt-4o-mini",
    }),
  tier: word.nullish().openapi({
    description: `Absent: \`${STANDARD_TIER}\`; of a discount: every tier.`,
    example: "batch",
  }),
  variant: word.nullish().openapi({
    description: "What else the price depends on; absent: whatever that is.",
    example: "hd/1024x1792",
  }),
  usdPerMillionTokens: unitPriceInputs.usdPerMillionTokens.optional().openapi({
    description: "The whole row: a class that is absent has no price.",
    example: { input: "0.10", output: "0.40" },
  }),
  usdPerUnit: unitPriceInputs.usdPerUnit.optional().openapi({ example: { image: "0.03" } }),
  discountPercent: z
    .string()
    .regex(
      /^(?:100|\d{1,2}(?:\.\d{1,2})?)$/,
      'must be a percentage from 0 to 100 with at most two decimals, "12.5"',
    )
    .optional()
    .openapi({ description: "Off the listed price, every class of it.", example: "10" }),
  validFrom: instantField("From when it holds; absent: from now.").nullish(),
  validUntil: instantField("Until when, exclusive; absent: until further notice.").nullish(),
  note: z.string().trim().min(1).max(MAX_NOTE_CHARACTERS).nullish().openapi({
    description: "Where the price comes from.",
    example: "contract 2026-114",
  }),
}).openapi("PriceOverrideInput");

const BASIS_POINTS_PER_PERCENT = 100;

/** `"12.5"` → 1250, exact. */
export function parseBasisPoints(percent: string): number {
  const [whole = "0", fraction = ""] = percent.split(".");
  return Number(whole) * BASIS_POINTS_PER_PERCENT + Number(fraction.padEnd(2, "0"));
}

/** 1250 → `"12.5"` */
function formatPercent(basisPoints: number): string {
  return String(basisPoints / BASIS_POINTS_PER_PERCENT);
}

export function formatPriceOverride(
  record: PriceOverrideRecord,
): z.infer<typeof priceOverrideSchema> {
  const { unitPrices, discountBasisPoints } = record;
  const prices = unitPrices && formatUnitPrices(unitPrices);
  return {
    id: record.id,
    provider: record.provider,
    model: record.model,
    tier: record.tier,
    variant: record.variant,
    usdPerMillionTokens: prices && prices.usdPerMillionTokens,
    usdPerUnit: prices && prices.usdPerUnit,
    discountPercent: discountBasisPoints === null ? null : formatPercent(discountBasisPoints),
    validFrom: formatInstant(record.validFromMs),
    validUntil: formatOptionalInstant(record.validUntilMs),
    note: record.note,
    createdBy: record.createdBy,
    createdAt: formatInstant(record.createdAtMs),
    endedBy: record.endedBy,
    endedAt: formatOptionalInstant(record.endedAtMs),
  };
}
