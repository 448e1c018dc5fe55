import { z } from "@hono/zod-openapi";
import type { ProviderKeyHealth } from "../../core/routing/provider-key-health.ts";
import { formatInstant, instantAnswer } from "../fields/instants.ts";

const restSchema = z
  .object({
    reason: z
      .enum(["rate_limited", "unavailable", "out_of_money", "key_refused", "model_refused"])
      .openapi({
        description:
          "What the provider answered: 429, a 5xx with a time in it, that the account is out of money, 401, 403.",
      }),
    owner: z.enum(["account", "key"]).openapi({
      description: "Whether the whole account rests, with all of its keys, or this key alone.",
    }),
    model: z.string().nullable().openapi({ description: "Null: whatever the model." }),
    until: instantAnswer("When it may be called again."),
  })
  .openapi("ProviderKeyRest");

export const providerKeyHealthSchema = z
  .object({
    circuit: z.enum(["closed", "open", "half-open"]).openapi({
      description:
        "`closed`: it is called. `open`: it failed and is left alone. `half-open`: the next call tries it.",
    }),
    openUntil: instantAnswer("Until when the circuit is open; null while it is not.").nullable(),
    rests: z
      .array(restSchema)
      .openapi({ description: "The longest first; at most 20 are listed." }),
  })
  .openapi("ProviderKeyHealth");

/** Of many models that rest the longest rests are told. */
const MAX_LISTED_RESTS = 20;

export function formatHealth(
  health: ProviderKeyHealth,
  nowMs: number,
): z.infer<typeof providerKeyHealthSchema> {
  const { circuit, circuitOpenForMs } = health;
  return {
    circuit,
    openUntil: circuit === "open" ? formatInstant(nowMs + Math.ceil(circuitOpenForMs)) : null,
    rests: health.rests.slice(0, MAX_LISTED_RESTS).map(({ reason, scope, forMs }) => ({
      reason,
      owner: scope.owner,
      model: scope.calls === "model" ? (scope.model ?? "") : null,
      until: formatInstant(nowMs + Math.ceil(forMs)),
    })),
  };
}
