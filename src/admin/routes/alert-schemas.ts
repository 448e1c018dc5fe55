import { z } from "@hono/zod-openapi";
import { ALERT_KINDS, ALERT_SEVERITIES } from "../../core/alerts/alert-rule.ts";
import { ALERT_SUBJECT_KINDS, DELIVERY_STATES } from "../../store/alert-records.ts";
import { closedObject } from "../fields/closed-object.ts";
import { instantAnswer, instantField } from "../fields/instants.ts";
import { nameField, referenceField } from "../fields/names.ts";
import { pagingFields } from "../fields/paging.ts";

const ALERT_STATES = ["open", "acknowledged"] as const;

export const alertQuery = {
  ...pagingFields,
  state: z.enum(ALERT_STATES).optional(),
  kind: z.enum(ALERT_KINDS).optional(),
  severity: z.enum(ALERT_SEVERITIES).optional(),
  rule: referenceField("A rule's name or id.", "Provider calls that fail").optional(),
  from: instantField("Fired at this time or later.").optional(),
  to: instantField("Fired before this time.").optional(),
};

const subjectSchema = z.object({ kind: z.enum(ALERT_SUBJECT_KINDS), id: z.string() });

export const alertSchema = z
  .object({
    id: z.string().openapi({ example: "alt_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    ruleId: z.string(),
    rule: z.string().openapi({ description: "The rule's name when it fired." }),
    kind: z.enum(ALERT_KINDS),
    severity: z.enum(ALERT_SEVERITIES),
    state: z.enum(ALERT_STATES),
    subject: subjectSchema.openapi({ description: "What it is about." }),
    period: z.string().openapi({
      description: "Of its rule, its subject and this period there is one alert.",
    }),
    title: z.string(),
    facts: z.array(z.object({ label: z.string(), value: z.string() })),
    figures: z.record(z.string(), z.union([z.string(), z.number()])).openapi({
      description:
        "What the facts are made of, by the kind of alert: money in USD as decimal strings, instants in ISO 8601.",
      example: { budgetId: "bud_01JZ6Y4V2S8W3N5R7T9X0B1C2D", spentUsd: "91.2", percent: 91 },
    }),
    command: z.string().openapi({ description: "What shows more, or mends it." }),
    messageId: z.string().openapi({ description: "What it was sent in, maybe with others." }),
    muteId: z.string().nullable().openapi({
      description: "The mute because of which it was sent to nobody.",
    }),
    firedAt: instantAnswer("When it fired."),
    acknowledgedAt: instantAnswer("When it was acknowledged; null while it is open.").nullable(),
    acknowledgedBy: z.string().nullable(),
    note: z.string().nullable(),
  })
  .openapi("Alert");

export const alertDetailSchema = alertSchema
  .extend({
    deliveries: z.array(
      z.object({
        channelId: z.string(),
        channel: z.string().nullable().openapi({ description: "The channel's name." }),
        state: z.enum(DELIVERY_STATES),
        attempts: z.number().openapi({ type: "integer" }),
        problem: z.string().nullable(),
        lastAttemptAt: instantAnswer("When it was last tried.").nullable(),
        nextAttemptAt: instantAnswer("When it is tried next.").nullable(),
        deliveredAt: instantAnswer("When it was delivered.").nullable(),
      }),
    ),
  })
  .openapi("AlertDetail");

const noteField = nameField("Why, or what is done about it.", "on it");

export const acknowledgement = closedObject({ note: noteField.optional() }).openapi(
  "AlertAcknowledgement",
);

export const muteInput = closedObject({
  rule: referenceField("Only of this rule: its name or id.", "Provider calls that fail").optional(),
  subject: closedObject({
    kind: z.enum(ALERT_SUBJECT_KINDS),
    id: z.string().max(256).optional().openapi({
      description: "As alerts show it; for the organization none.",
    }),
  })
    .openapi("AlertSubjectInput")
    .optional(),
  everything: z.literal(true).optional().openapi({
    description:
      "To mute every alert there is: needed where neither a rule nor a subject is named.",
  }),
  until: instantField("When alerts are sent again."),
  reason: noteField.optional(),
}).openapi("AlertMuteInput");

export const muteSchema = z
  .object({
    id: z.string().openapi({ example: "mut_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    ruleId: z.string().nullable().openapi({ description: "Null: of every rule." }),
    rule: z.string().nullable().openapi({
      description: "The rule's name; null: of every rule, or of one that is gone.",
    }),
    subject: subjectSchema.nullable().openapi({ description: "Null: about whatever." }),
    subjectName: z.string().nullable().openapi({
      description: "What the subject is called; null: it has no name but its id, or is gone.",
    }),
    isActive: z.boolean(),
    until: instantAnswer("When it ends by itself."),
    reason: z.string().nullable(),
    createdBy: z.string(),
    createdAt: instantAnswer("When it began."),
    endedAt: instantAnswer("When somebody ended it; null: nobody did.").nullable(),
  })
  .openapi("AlertMute");

export const newMuteSchema = muteSchema
  .extend({
    warning: z.string().nullable().openapi({
      description: "Why it may mute nothing; null where there is nothing to be said.",
    }),
  })
  .openapi("NewAlertMute");
