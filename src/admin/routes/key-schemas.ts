import { z } from "@hono/zod-openapi";
import { GATEWAY_KEY_PREFIXES } from "../../core/keys/gateway-key.ts";
import { DEFAULT_OVERLAP_SECONDS, MAX_OVERLAP_SECONDS } from "../../core/keys/superseded-secret.ts";
import { parseIpRange } from "../../core/network/ip-ranges.ts";
import { ENDPOINT_GROUPS, parseEndpointPattern } from "../../core/policy/endpoint-pattern.ts";
import { endpointWarningsField } from "../endpoint-warnings.ts";
import { closedObject } from "../fields/closed-object.ts";
import { instantAnswer, instantField } from "../fields/instants.ts";
import { nameField, referenceField } from "../fields/names.ts";
import { amountFields, limitAmountsSchema } from "./limit-schemas.ts";

const MAX_ALLOWED = 200;
const MAX_UNUSED_DAYS = 3650;
const MAX_NAME_PREFIX_CHARACTERS = 100;

const environmentReference = referenceField("An environment's name or id.", "production");
const projectReference = referenceField("A project's name or id.", "default");
const customerReference = referenceField("A customer's external id or id.", "acme");

export const modelField = z
  .string()
  .regex(/^[\x21-\x7e]{1,256}$/, "must be 1 to 256 visible ASCII characters")
  .openapi({ example: "gpt-4o-mini" });

export const keyFilterFields = {
  environment: environmentReference.optional(),
  project: projectReference.optional(),
  customer: customerReference.optional(),
  unusedForDays: z
    .string()
    .regex(/^\d{1,4}$/, "must be a whole number")
    .transform(Number)
    .pipe(z.number().min(1).max(MAX_UNUSED_DAYS))
    .optional()
    .openapi({
      type: "integer",
      minimum: 1,
      maximum: MAX_UNUSED_DAYS,
      description:
        "Only keys that can be used, are older than so many days, and have not been used in them.",
    }),
  neverUsed: z.enum(["true", "false"]).optional().openapi({
    description: "`true`: only keys that can be used and never were.",
  }),
};

/** A list in which nothing stands twice. */
export function listOfNames<Item extends z.ZodType<string>>(item: Item, description: string) {
  return z
    .array(item)
    .min(1)
    .max(MAX_ALLOWED)
    .refine((names) => new Set(names).size === names.length, "must not name anything twice")
    .nullish()
    .openapi({ description });
}

export const endpointField = z
  .string()
  .max(256)
  .transform((text, context) => {
    const pattern = parseEndpointPattern(text);
    if (pattern !== undefined) return pattern;
    context.issues.push({ code: "custom", message: ENDPOINT_MESSAGE, input: text });
    return z.NEVER;
  })
  .openapi({ type: "string", example: "chat/completions" });

const ENDPOINT_MESSAGE = `must be a path below /v1 in lower case, such as chat/completions, or one of ${Object.keys(ENDPOINT_GROUPS).join(", ")}`;

export const ipField = z
  .string()
  .trim()
  .max(64)
  .superRefine((text, context) => {
    const range = parseIpRange(text);
    if ("problem" in range) context.addIssue({ code: "custom", message: range.problem });
  })
  .openapi({ example: "10.1.0.0/16" });

const EXPIRES = "The key is refused from then on.";

/** What may be said of a key when it is issued, and changed later. */
const changeableFields = {
  allowedModels: listOfNames(modelField, "The models the key may call. Null: every model."),
  allowedEndpoints: listOfNames(
    endpointField,
    "The endpoints the key may call: `chat/completions` with all paths under it, or a group, `@text`. Null: every endpoint.",
  ),
  allowedIps: listOfNames(
    ipField,
    "The addresses and networks the key may be used from. Null: from everywhere.",
  ),
  isForBrowsers: z.boolean().optional().openapi({
    description:
      "Whether browsers may send it, where whoever looks can read it. Any other key is refused when a browser sends it, as the environment's policy says.",
  }),
};

export const keyInput = closedObject({
  environment: environmentReference,
  name: nameField("For people.", "support-bot"),
  project: projectReference.nullish().openapi({ description: "Absent: the project `default`." }),
  customer: customerReference.nullish().openapi({
    description:
      "Binds the key to a customer: every call with it is that customer's, whatever the call says.",
  }),
  expiresAt: instantField(`${EXPIRES} Absent: it does not expire.`).nullish(),
  ...changeableFields,
  limits: closedObject(amountFields)
    .openapi("KeyLimitsInput")
    .nullish()
    .openapi({ description: "A limit on the calls with this key, as `POST /limits` would make." }),
}).openapi("KeyInput");

export const keyChange = closedObject({
  name: nameField("For people.", "support-bot").optional(),
  expiresAt: instantField(`${EXPIRES} Null: it does not expire.`)
    .nullish()
    .openapi({ type: ["string", "null"] }),
  ...changeableFields,
}).openapi("KeyChange");

export const rotationInput = closedObject({
  overlapSeconds: z
    .int()
    .min(0)
    .max(MAX_OVERLAP_SECONDS)
    .optional()
    .openapi({
      description: `How long the old secret is accepted beside the new one; 0: not at all. Absent: ${DEFAULT_OVERLAP_SECONDS}, a day.`,
      example: DEFAULT_OVERLAP_SECONDS,
    }),
}).openapi("KeyRotationInput");

const FILTERS = ["environment", "project", "customer", "keyPrefix", "namePrefix"] as const;

export const bulkRevocationInput = closedObject({
  environment: environmentReference.optional(),
  project: projectReference.optional(),
  customer: customerReference.optional(),
  keyPrefix: z.enum(Object.values(GATEWAY_KEY_PREFIXES)).optional().openapi({
    description: "What the keys themselves begin with.",
  }),
  namePrefix: z
    .string()
    .min(1)
    .max(MAX_NAME_PREFIX_CHARACTERS)
    .regex(/^\P{Cc}*$/u, "must not contain control characters")
    .optional()
    .openapi({ description: "What their names begin with, to the letter.", example: "ci-" }),
  dryRun: z.boolean().optional().openapi({
    description: "Says what would be revoked, and revokes nothing.",
  }),
})
  .refine((input) => FILTERS.some((name) => input[name] !== undefined), {
    message: `one of ${FILTERS.map((name) => `\`${name}\``).join(", ")} must be given`,
  })
  .openapi("KeyRevocationInput");

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
  allowedEndpoints: z.array(z.string()).nullable().openapi({
    description: "Null: every endpoint.",
  }),
  allowedIps: z.array(z.string()).nullable().openapi({ description: "Null: from everywhere." }),
  isForBrowsers: z.boolean().openapi({ description: "Whether browsers may send it." }),
  status: z.enum(["active", "expired", "revoked"]),
  createdAt: instantAnswer("When it was issued."),
  expiresAt: instantAnswer("From when on it is refused; null: it does not expire.").nullable(),
  revokedAt: instantAnswer("When it was revoked; null while it is not.").nullable(),
  lastUsedAt: instantAnswer(
    "When the last call with it was sent, to the minute; null: it was never used.",
  ).nullable(),
  oldSecrets: z
    .array(
      z
        .object({
          preview: z.string().openapi({ example: "kw_live_…m2Kd" }),
          rotatedAt: instantAnswer("When another took its place."),
          validUntil: instantAnswer("It is refused from then on."),
        })
        .openapi("OldKeySecret"),
    )
    .openapi({ description: "Secrets that it had and that are still accepted, newest first." }),
};

const clearKey = z.string().openapi({
  description: "The key in clear, this once.",
  example: "kw_live_<49 letters and digits>",
});

const keyLimitSchema = z
  .object({
    id: z.string().openapi({ example: "lim_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    ...limitAmountsSchema,
  })
  .openapi("KeyLimit");

export const keySchema = z.object(keyFields).openapi("Key");

export const keyDetailsSchema = z
  .object({
    ...keyFields,
    leakedAt: instantAnswer(
      "When a secret of it that is still accepted was reported as leaked first; null: none was.",
    ).nullable(),
  })
  .openapi("KeyDetails");

export const issuedKeySchema = z
  .object({
    ...keyFields,
    limit: keyLimitSchema.nullable().openapi({ description: "The limit that was made with it." }),
    key: clearKey,
    warnings: endpointWarningsField,
  })
  .openapi("IssuedKey");

export const changedKeySchema = z
  .object({ ...keyFields, warnings: endpointWarningsField })
  .openapi("ChangedKey");

export const rotatedKeySchema = z.object({ ...keyFields, key: clearKey }).openapi("RotatedKey");

export const bulkRevocationSchema = z
  .object({
    isDryRun: z.boolean(),
    count: z.number().openapi({
      type: "integer",
      description: "How many keys were revoked, or would be.",
    }),
    isComplete: z.boolean().openapi({
      description:
        "False: there are more. Of a dry run than are counted; else keys that match are still valid, and the same request has to be sent again until this is true.",
    }),
    data: z.array(keySchema).openapi({ description: "The newest of them." }),
  })
  .openapi("KeyRevocation");
