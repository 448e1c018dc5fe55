import { z } from "@hono/zod-openapi";
import { MAX_LIMIT_AMOUNT } from "../../core/limits/limit.ts";
import { closedObject } from "../fields/closed-object.ts";
import { instantAnswer } from "../fields/instants.ts";
import { scopeInput, scopeSchema } from "../fields/scope-fields.ts";

const amountField = (description: string, example: number) =>
  z.int().min(1).max(MAX_LIMIT_AMOUNT).openapi({ description, example });

const requestsField = amountField("Calls in any 60 seconds.", 600);
const tokensField = amountField(
  "Tokens in any 60 seconds, input and output together: estimated when a call is admitted, corrected when it has ended.",
  100_000,
);
const concurrencyField = amountField("Calls in flight at one time.", 20);

/** What a limit may limit; at least one of them. */
export const amountFields = {
  requestsPerMinute: requestsField.nullish(),
  tokensPerMinute: tokensField.nullish(),
  concurrency: concurrencyField.nullish(),
};

export const limitInput = closedObject({ scope: scopeInput, ...amountFields }).openapi(
  "LimitInput",
);

export const limitChange = closedObject(amountFields).openapi("LimitChange");

const amountAnswer = (description: string) =>
  z
    .number()
    .nullable()
    .openapi({ type: ["integer", "null"], description });

export const limitAmountsSchema = {
  requestsPerMinute: amountAnswer("Calls in any 60 seconds; null: no limit."),
  tokensPerMinute: amountAnswer("Tokens in any 60 seconds; null: no limit."),
  concurrency: amountAnswer("Calls in flight at one time; null: no limit."),
};

const limitFields = {
  id: z.string().openapi({ example: "lim_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
  scope: scopeSchema,
  ...limitAmountsSchema,
  createdAt: instantAnswer("When it was created."),
};

export const limitSchema = z.object(limitFields).openapi("Limit");

const countAnswer = (description: string) => z.number().openapi({ type: "integer", description });

const limitUseSchema = z
  .object({
    subject: z.string().openapi({
      description:
        "Whose calls: an id, a customer's external id or a feature's name; empty for all.",
      example: "acme",
    }),
    name: z.string().nullable().openapi({ description: "For people, where it has one." }),
    requests: countAnswer("Calls that count now: of the last 60 seconds."),
    requestsSetAside: countAnswer(
      "Calls that processes may still let through without asking. They count until they are used or given back, within ten seconds. A call is among these for the first moments.",
    ),
    tokens: countAnswer("Tokens that count now, with those that calls in flight are taken to use."),
    tokensSetAside: countAnswer("Tokens that processes have set aside for calls to come."),
    callsInFlight: countAnswer("Calls that are in flight, as told within the last second."),
    slotsSetAside: countAnswer("Slots for further calls that processes hold ready."),
  })
  .openapi("LimitUse");

export const usedLimitSchema = z
  .object({
    ...limitFields,
    uses: z.array(limitUseSchema).openapi({
      description: "Where something counts now, by subject; at most 100.",
    }),
  })
  .openapi("UsedLimit");
