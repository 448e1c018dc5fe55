import { z } from "@hono/zod-openapi";
import { ALERT_CHANNEL_KINDS, isEmailAddress } from "../../core/alerts/alert-channel.ts";
import { parseSmtpUrl } from "../../core/alerts/smtp-url.ts";
import { closedObject } from "../fields/closed-object.ts";
import { instantAnswer } from "../fields/instants.ts";
import { referableNameField } from "../fields/names.ts";

const MAX_RECIPIENTS = 20;
const MAX_URL_CHARACTERS = 2048;

const nameField = referableNameField("ach", "Unique.", "ops");
const addressField = z
  .string()
  .trim()
  .refine(isEmailAddress, "must be an address of e-mail alone, `ops@example.com`");
const recipientsField = z
  .array(addressField)
  .min(1)
  .max(MAX_RECIPIENTS)
  .openapi({
    description: "Of kind `email`: who gets the mail.",
    example: ["ops@example.com"],
  });
const senderField = addressField.openapi({
  description: "Of kind `email`: whom the mail is from.",
  example: "keyward@example.com",
});
const smtpUrlField = z
  .string()
  .trim()
  .max(MAX_URL_CHARACTERS)
  .refine(
    (text) => parseSmtpUrl(text) !== undefined,
    "must be `smtps://user:password@host` or `smtp://host:port`, without a path and a query",
  );

export const channelInput = closedObject({
  name: nameField,
  kind: z.enum(ALERT_CHANNEL_KINDS).openapi({
    description:
      "`slack`: an incoming webhook of Slack or of one that takes the same; `webhook`: JSON, signed by Standard Webhooks; `email`.",
  }),
  url: z.string().trim().min(1).max(MAX_URL_CHARACTERS).optional().openapi({
    description: "Of kinds `slack` and `webhook`. Goes into the vault and is never answered with.",
  }),
  smtpUrl: smtpUrlField.optional().openapi({
    description: "Of kind `email`. Goes into the vault and is never answered with.",
  }),
  sender: senderField.optional(),
  recipients: recipientsField.optional(),
}).openapi("AlertChannelInput");

export const channelChange = closedObject({
  name: nameField.optional(),
  isEnabled: z.boolean().optional(),
  sender: senderField.optional(),
  recipients: recipientsField.optional(),
}).openapi("AlertChannelChange");

export const channelSchema = z
  .object({
    id: z.string().openapi({ example: "ach_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    name: z.string().openapi({ example: "ops" }),
    kind: z.enum(ALERT_CHANNEL_KINDS),
    preview: z.string().openapi({
      description: "Where it leads: the host, and the last characters of a long URL.",
      example: "hooks.slack.com/…9fQa",
    }),
    sender: z.string().nullable(),
    recipients: z.array(z.string()),
    isEnabled: z.boolean().openapi({ description: "One that is off keeps what waits for it." }),
    lastDeliveredAt: instantAnswer("When a message was last delivered, be it a test.").nullable(),
    lastFailedAt: instantAnswer("When an attempt last failed.").nullable(),
    lastProblem: z.string().nullable().openapi({
      description: "Why the last attempt failed; null when it did not, or there was none.",
    }),
    waiting: z
      .number()
      .openapi({ type: "integer", description: "Messages that failed and are tried again." }),
    givenUp: z.number().openapi({ type: "integer", description: "Messages that were given up." }),
    createdAt: instantAnswer("When it was added."),
  })
  .openapi("AlertChannel");

export const newChannelSchema = channelSchema
  .extend({
    signingSecret: z.string().nullable().openapi({
      description: "Of kind `webhook`: what its receiver verifies messages with. Shown this once.",
    }),
  })
  .openapi("NewAlertChannel");

export const testResultSchema = z
  .object({
    isDelivered: z.boolean(),
    problem: z.string().nullable().openapi({ description: "Why it was not delivered." }),
    isEnabled: z.boolean().openapi({ description: "False: alerts are not sent through it." }),
  })
  .openapi("AlertTestResult");
