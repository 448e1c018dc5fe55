import { z } from "@hono/zod-openapi";
import { parseModelPattern } from "../../core/routing/model-pattern.ts";
import { closedObject } from "../fields/closed-object.ts";
import { instantAnswer } from "../fields/instants.ts";
import { referenceField } from "../fields/names.ts";

export const MAX_RULES_AN_ENVIRONMENT = 200;

export const environmentReference = referenceField("An environment's name or id.", "production");

const PATTERN_DESCRIPTION =
  "For which models: one by its name, all whose name begins so (`gpt-4*`), or every call (`*`), also one whose model Keyward does not read.";

const patternField = z
  .string()
  .regex(/^[\x21-\x7e]{1,256}$/, "must be 1 to 256 visible ASCII characters")
  .refine(
    (pattern) => parseModelPattern(pattern) !== undefined,
    "may have a `*` at its end, where it stands for any rest of the name, and nowhere else",
  )
  .openapi({ description: PATTERN_DESCRIPTION, example: "gpt-4*" });

const accountField = referenceField("Only keys of this provider account: its id or name.", "eu");
const providerField = z.string().trim().min(1).max(64).openapi({
  description: "Only keys of accounts at this provider.",
  example: "openai",
});
const targetModelField = z
  .string()
  .regex(/^[\x21-\x29\x2b-\x7e]{1,256}$/, "must be 1 to 256 visible ASCII characters without `*`")
  .openapi({
    description: "What the provider is asked for in the model's place.",
    example: "gpt-4o-mini",
  });
const positionField = z.int().min(1).max(MAX_RULES_AN_ENVIRONMENT).openapi({
  description:
    "Its place among the environment's rules, from 1: the first that is for a model decides.",
  example: 1,
});

export const ruleInput = closedObject({
  environment: environmentReference,
  model: patternField,
  accountId: accountField.nullish(),
  provider: providerField.nullish(),
  targetModel: targetModelField.nullish(),
  position: positionField.optional().openapi({ description: "Absent: behind the others." }),
}).openapi("RoutingRuleInput");

export const ruleChange = closedObject({
  model: patternField.optional(),
  accountId: accountField.nullish(),
  provider: providerField.nullish(),
  targetModel: targetModelField.nullish(),
  position: positionField.optional(),
}).openapi("RoutingRuleChange");

export const ruleSchema = z
  .object({
    id: z.string().openapi({ example: "rul_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    environmentId: z.string(),
    environment: z.string().nullable().openapi({ description: "The environment's name." }),
    position: z.number().openapi({ type: "integer", description: "From 1." }),
    model: z.string().openapi({ description: PATTERN_DESCRIPTION, example: "gpt-4*" }),
    accountId: z.string().nullable().openapi({ description: "Null: any account." }),
    account: z.string().nullable().openapi({ description: "The account's name." }),
    provider: z.string().nullable().openapi({ description: "Null: any provider." }),
    targetModel: z.string().nullable().openapi({
      description: "Null: the model is sent as the client names it.",
    }),
    providerKeys: z.number().openapi({
      type: "integer",
      description:
        "Keys of the environment that it allows; while there is none, the calls it is for are refused.",
    }),
    createdAt: instantAnswer("When it was added."),
  })
  .openapi("RoutingRule");
