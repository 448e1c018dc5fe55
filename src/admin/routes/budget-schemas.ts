import { z } from "@hono/zod-openapi";
import { BUDGET_MEASURES, ENFORCEMENTS, TIGHT_BUDGET_ACTIONS } from "../../core/budgets/budget.ts";
import { checkTimeZone, parseAnchor, PERIODS } from "../../core/budgets/periods.ts";
import { parseModelPattern } from "../../core/routing/model-pattern.ts";
import { NEAR_PERCENT } from "../../store/budget-repository.ts";
import { closedObject } from "../fields/closed-object.ts";
import { instantAnswer, instantField } from "../fields/instants.ts";
import { usdField } from "../fields/money.ts";
import { nameField } from "../fields/names.ts";
import { scopeInput, scopeSchema } from "../fields/scope-fields.ts";

const MAX_MODELS = 100;
const MAX_REASON_CHARACTERS = 500;
const MAX_ZONE_CHARACTERS = 100;

const usdAnswer = (description: string) =>
  z.string().openapi({ description: `${description}, in USD.`, example: "25" });

const limitField = usdField("The limit of each period; 0 lets free calls alone through.", "zero");
const enforcementField = z.enum(ENFORCEMENTS).openapi({
  description: "`hard`: never exceeded. `soft`: counted, and told of.",
});
const tightField = z.enum(TIGHT_BUDGET_ACTIONS).openapi({
  description:
    "What becomes of a call that may cost more than is left: `refuse`, or `clamp`: sent with a lower limit on its output.",
});
const budgetName = nameField("For people.", "trial customers");

export const budgetInput = closedObject({
  name: budgetName.nullish(),
  scope: scopeInput,
  limitUsd: limitField,
  period: z.enum(PERIODS).openapi({ example: "month" }),
  timezone: z
    .string()
    .max(MAX_ZONE_CHARACTERS)
    .superRefine((zone, context) => {
      const refusal = checkTimeZone(zone);
      if (refusal !== null) context.addIssue({ code: "custom", message: refusal });
    })
    .default("UTC")
    .openapi({ description: "Of the IANA database.", example: "Europe/Berlin" }),
  anchor: z
    .string()
    .max(MAX_ZONE_CHARACTERS)
    .superRefine((text, context) => {
      const anchor = parseAnchor(text);
      if ("refusal" in anchor) context.addIssue({ code: "custom", message: anchor.refusal });
    })
    .nullish()
    .openapi({
      description:
        "A local date and time from which periods are counted; absent: minute 0, 00:00, Monday, the 1st.",
      example: "2026-01-15T06:00",
    }),
  measure: z.enum(BUDGET_MEASURES).default("cost").openapi({
    description: "What is added up: what the provider charges, or what the customer is charged.",
  }),
  models: z
    .array(
      z
        .string()
        .regex(/^[\x21-\x7e]{1,256}$/, "must be 1 to 256 visible ASCII characters")
        .refine(
          (pattern) => parseModelPattern(pattern) !== undefined,
          "may have a `*` at its end, and nowhere else",
        ),
    )
    .min(1)
    .max(MAX_MODELS)
    .nullish()
    .openapi({
      description: "Only calls that ask for these models are counted; absent: all.",
      example: ["gpt-4*"],
    }),
  rollsOver: z.boolean().default(false).openapi({
    description:
      "Whether what is left of a period is added to the next, up to the limit once more.",
  }),
  enforcement: enforcementField.default("hard"),
  onTightBudget: tightField.default("refuse"),
}).openapi("BudgetInput");

export const budgetChange = closedObject({
  name: budgetName.nullish(),
  limitUsd: limitField.optional(),
  enforcement: enforcementField.optional(),
  onTightBudget: tightField.optional(),
}).openapi("BudgetChange");

export const increaseInput = closedObject({
  amountUsd: usdField("What is added to the limit.", "more"),
  until: instantField("Until when, exclusive."),
  reason: z.string().trim().min(1).max(MAX_REASON_CHARACTERS).nullish().openapi({
    description: "For people.",
    example: "launch week",
  }),
}).openapi("BudgetIncreaseInput");

const increaseSchema = z
  .object({
    id: z.string().openapi({ example: "inc_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    amountUsd: usdAnswer("What it adds to the limit"),
    from: instantAnswer("Inclusive."),
    until: instantAnswer("Exclusive."),
    reason: z.string().nullable(),
    createdBy: z.string(),
  })
  .openapi("BudgetIncrease");

const BUDGET_STATES = ["active", "used_up", "paused", "archived"] as const;

/** How a window of a budget stands. */
const standingShape = {
  effectiveLimitUsd: usdAnswer("The limit with what was carried over and the increases of now"),
  spentUsd: usdAnswer("What the ledger's rows add up to"),
  heldUsd: usdAnswer("Set aside for calls in flight, or about to come"),
  lostUsd: usdAnswer("Of what is held, what processes hold that were lost"),
  remainingUsd: usdAnswer("What is left; below zero where a limit was lowered, or is soft"),
  refusedCalls: z.number().int().openapi({
    description: "Calls that were refused because too little was left; counted within a second.",
  }),
};

export const windowSchema = z
  .object({
    subject: z.string().openapi({
      description: "Whose window it is: an id, a customer, a feature; empty: the organization's.",
    }),
    startsAt: instantAnswer("Inclusive."),
    endsAt: instantAnswer("Exclusive; null: never.").nullable(),
    ...standingShape,
  })
  .openapi("BudgetWindow");

const spreadSchema = z
  .object({
    subjects: z.number().int().openapi({ description: "Those with calls in this period." }),
    near: z
      .number()
      .int()
      .openapi({
        description: `Of them, those that have spent ${NEAR_PERCENT} % of their limit or more.`,
      }),
    usedUp: z.number().int().openapi({
      description: "Of them, those with nothing left, with what is set aside for calls.",
    }),
  })
  .openapi("BudgetSpread");

const nullable = <Field extends z.ZodType>(field: Field) => field.nullable();

export const budgetSchema = z
  .object({
    id: z.string().openapi({ example: "bud_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    name: z.string().nullable(),
    scope: scopeSchema,
    limitUsd: usdAnswer("The limit of each period"),
    period: z.enum(PERIODS),
    timezone: z.string(),
    anchor: z.string().nullable(),
    measure: z.enum(BUDGET_MEASURES),
    models: z.array(z.string()).nullable(),
    rollsOver: z.boolean(),
    enforcement: enforcementField,
    onTightBudget: tightField,
    state: z.enum(BUDGET_STATES).openapi({
      description:
        "`used_up`: nothing is left of this period, so a hard budget lets free calls alone through.",
    }),
    effectiveLimitUsd: nullable(standingShape.effectiveLimitUsd),
    spentUsd: nullable(standingShape.spentUsd).openapi({
      description:
        "Of this period, in USD. Null where each one of the scope has its own: see `windows`.",
    }),
    heldUsd: nullable(standingShape.heldUsd),
    lostUsd: nullable(standingShape.lostUsd),
    remainingUsd: nullable(standingShape.remainingUsd),
    refusedCalls: nullable(standingShape.refusedCalls),
    windowStartsAt: instantAnswer("When this period began.").nullable(),
    windowEndsAt: instantAnswer("When it ends; null: never.").nullable(),
    spread: spreadSchema.nullable().openapi({
      description:
        "How each one of the scope stands; null where the budget is for one: see `windows?order=fullest`.",
    }),
    increases: z.array(increaseSchema).openapi({ description: "Those that have not ended." }),
    pausedAt: instantAnswer("Since when it refuses nothing.").nullable(),
    archivedAt: instantAnswer("Since when it counts nothing.").nullable(),
    createdBy: z.string().openapi({ description: "The admin token's name, or `local`." }),
    createdAt: instantAnswer("When it was created."),
  })
  .openapi("Budget");

export type BudgetAnswer = z.infer<typeof budgetSchema>;
export type WindowAnswer = z.infer<typeof windowSchema>;
