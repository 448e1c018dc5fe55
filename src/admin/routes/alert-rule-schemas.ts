import { z } from "@hono/zod-openapi";
import { ALERT_PERIODS } from "../../core/alerts/alert-period.ts";
import { ALERT_KINDS, ALERT_KIND_FACTS } from "../../core/alerts/alert-rule.ts";
import { parseUsd } from "../../core/money/picos.ts";
import { SCOPE_KINDS } from "../../core/scopes/scope.ts";
import { closedObject } from "../fields/closed-object.ts";
import { instantAnswer } from "../fields/instants.ts";
import { referableNameField, referenceField } from "../fields/names.ts";

const MAX_PERCENT = 10_000;
const MAX_PERCENTAGES = 20;
const MAX_DAYS_BEFORE = 10;
const percentField = z.int().min(1).max(MAX_PERCENT);

/** Those of all kinds; which of them a kind has is the handler's to check. */
export const settingsInput = closedObject({
  percentages: z.array(percentField).min(1).max(MAX_PERCENTAGES).optional().openapi({
    description: "`budget_threshold`: shares of the limit, in whole percents.",
  }),
  afterPercent: z.int().min(0).max(99).optional().openapi({
    description: "`budget_forecast`: the share of the period that must have passed.",
  }),
  percentOfUsual: z.int().min(101).max(1_000_000).optional().openapi({
    description: "`spend_spike`: 300 = three times what is usual.",
  }),
  minUsd: z
    .string()
    .refine((text) => (parseUsd(text) ?? -1n) >= 0n, "must be an amount in USD, `1.50`")
    .optional()
    .openapi({ description: "`spend_spike`: an hour of less is no spike." }),
  percent: percentField.max(100).optional().openapi({
    description: "`error_rate`, `estimated_usage`, `account_limit_near`: a share.",
  }),
  minCalls: z.int().min(1).max(1_000_000_000).optional().openapi({
    description: "`error_rate`, `estimated_usage`: an hour of fewer calls says nothing.",
  }),
  seconds: z.int().min(0).max(86_400).optional().openapi({
    description: "`provider_key_failing`: how long without an end.",
  }),
  days: z.int().min(1).max(3_650).optional().openapi({
    description: "`provider_key_unused`, `provider_key_old`.",
  }),
  daysBefore: z.array(z.int().min(0).max(365)).min(1).max(MAX_DAYS_BEFORE).optional().openapi({
    description:
      "`rotation_due`: days before a rotation by schedule; 0: at that time, where a person has to bring the secret.",
  }),
}).openapi("AlertSettings");

const scopeInput = closedObject({
  kind: z.enum(SCOPE_KINDS),
  id: referenceField("Name or id of the one; absent: each one by itself.", "acme").optional(),
}).openapi("AlertScope", {
  description: "What the rule looks at. Null or absent: what is usual for its kind.",
});

const nameField = referableNameField("alr", "Unique.", "Budgets of customers");
const channelsField = z.array(referenceField("A channel's name or id.", "ops")).max(50).openapi({
  description: "Whom it tells; null or absent: every channel. An empty list: nobody.",
});
const repeatField = z.enum(ALERT_PERIODS).openapi({
  description:
    "It fires once in such a period (UTC) for one and the same thing. Budgets have periods of their own.",
});

export const ruleInput = closedObject({
  name: nameField,
  kind: z.enum(ALERT_KINDS),
  scope: scopeInput.nullish(),
  settings: settingsInput.optional(),
  repeat: repeatField.optional(),
  channels: channelsField.nullish(),
  isEnabled: z.boolean().optional(),
}).openapi("AlertRuleInput");

export const ruleChange = closedObject({
  name: nameField.optional(),
  scope: scopeInput.nullish(),
  settings: settingsInput.optional(),
  repeat: repeatField.optional(),
  channels: channelsField.nullish(),
  isEnabled: z.boolean().optional(),
}).openapi("AlertRuleChange");

export const ruleSchema = z
  .object({
    id: z.string().openapi({ example: "alr_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    name: z.string(),
    kind: z.enum(ALERT_KINDS).openapi({
      description: ALERT_KINDS.map(
        (kind) => `\`${kind}\`: ${ALERT_KIND_FACTS[kind].summary}.`,
      ).join(" "),
    }),
    scope: z
      .object({
        kind: z.enum(SCOPE_KINDS),
        id: z.string().nullable(),
        name: z.string().nullable().openapi({ description: "Where it has one beside its id." }),
      })
      .nullable(),
    settings: z.record(z.string(), z.unknown()).openapi({ description: "Those of its kind." }),
    repeat: z.enum(ALERT_PERIODS).nullable(),
    channelIds: z.array(z.string()).nullable().openapi({ description: "Null: every channel." }),
    channels: z.array(z.string()).nullable().openapi({
      description: "The names of those that it tells; null: every channel.",
    }),
    isEnabled: z.boolean(),
    createdAt: instantAnswer("When it was added."),
  })
  .openapi("AlertRule");
