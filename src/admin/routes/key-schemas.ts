import { z } from "@hono/zod-openapi";
import { closedObject } from "../fields/closed-object.ts";
import { instantAnswer, instantField } from "../fields/instants.ts";
import { nameField, referenceField } from "../fields/names.ts";
import { amountFields, limitAmountsSchema } from "./limit-schemas.ts";

const MAX_ALLOWED_MODELS = 200;

const environmentReference = referenceField("An environment's name or id.", "production");
const projectReference = referenceField("A project's name or id.", "default");
const customerReference = referenceField("A customer's external id or id.", "acme");

const modelField = z
  .string()
  .regex(/^[\x21-\x7e]{1,256}$/, "must be 1 to 256 visible ASCII characters")
  .openapi({ example: "gpt-4o-mini" });

export const keyFilterFields = {
  environment: environmentReference.optional(),
  project: projectReference.optional(),
  customer: customerReference.optional(),
};

export const keyInput = closedObject({
  environment: environmentReference,
  name: nameField("For people.", "support-bot"),
  project: projectReference.nullish().openapi({ description: "Absent: the project `default`." }),
  customer: customerReference.nullish().openapi({
    description:
      "Binds the key to a customer: every call with it is that customer's, whatever the call says.",
  }),
  expiresAt: instantField("The key is refused from then on. Absent: it does not expire.").nullish(),
  allowedModels: z
    .array(modelField)
    .min(1)
    .max(MAX_ALLOWED_MODELS)
    .refine((models) => new Set(models).size === models.length, "must not name a model twice")
    .nullish()
    .openapi({ description: "The models the key may call. Absent: every model." }),
  limits: closedObject(amountFields)
    .openapi("KeyLimitsInput")
    .nullish()
    .openapi({ description: "A limit on the calls with this key, as `POST /limits` would make." }),
}).openapi("KeyInput");

const keyFields = {
  id: z.string().openapi({ example: "key_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
  name: z.string().openapi({ example: "support-bot" }),
  preview: z.string().openapi({
    description: "The key's prefix and last four characters.",
    example: "kw_live_…x7Qz",
  }),
  projectId: z.string(),
  project: z.string().nullable().openapi({ description: "The project's name." }),
  environmentId: z.string(),
  environment: z.string().nullable().openapi({ description: "The environment's name." }),
  customerId: z.string().nullable(),
  customer: z.string().nullable().openapi({
    description: "External id of the customer the key is bound to.",
  }),
  allowedModels: z.array(z.string()).nullable().openapi({ description: "Null: every model." }),
  status: z.enum(["active", "expired", "revoked"]),
  createdAt: instantAnswer("When it was issued."),
  expiresAt: instantAnswer("From when on it is refused; null: it does not expire.").nullable(),
  revokedAt: instantAnswer("When it was revoked; null while it is not.").nullable(),
};

const keyLimitSchema = z
  .object({
    id: z.string().openapi({ example: "lim_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    ...limitAmountsSchema,
  })
  .openapi("KeyLimit");

export const keySchema = z.object(keyFields).openapi("Key");

export const issuedKeySchema = z
  .object({
    ...keyFields,
    limit: keyLimitSchema.nullable().openapi({ description: "The limit that was made with it." }),
    key: z.string().openapi({
      description: "The key in clear, this once.",
      example: "kw_live_<49 letters and digits>",
    }),
  })
  .openapi("IssuedKey");
