import { createRoute, z } from "@hono/zod-openapi";
import {
  changePolicy,
  type EnvironmentPolicy,
  POLICY_RULES,
  type PolicyRule,
  type PolicySettings,
  resolvePolicy,
  RULE_MODES,
  type RuleMode,
} from "../../core/policy/environment-policy.ts";
import { parseModelPattern } from "../../core/routing/model-pattern.ts";
import type { EnvironmentRecord } from "../../store/records.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse } from "../answers/refusal.ts";
import { endpointWarnings, endpointWarningsField } from "../endpoint-warnings.ts";
import { closedObject, closedQuery } from "../fields/closed-object.ts";
import { idParam } from "../fields/names.ts";
import { findViolations } from "../policy-violations.ts";
import { findEnvironment } from "../references.ts";
import { endpointField, ipField, listOfNames } from "./key-schemas.ts";

/** Less than any answer of use has; the responses API takes no lower limit. */
const MIN_OUTPUT_TOKENS = 16;
const MAX_OUTPUT_TOKENS = 100_000_000;

const modeField = z.enum(RULE_MODES).openapi({
  description:
    "`enforce`: what breaks the rule is refused. `warn`: it passes, and is counted and shown. `off`: nobody looks.",
});

const patternField = z
  .string()
  .max(256)
  .refine((text) => parseModelPattern(text) !== undefined, {
    message: "must be a model's name, or its beginning with a star behind it",
  })
  .openapi({ example: "gpt-4o*" });

const modesSchema = z.object(perRule(() => modeField)).openapi("PolicyRules");

const violationSchema = z
  .object({
    rule: z.enum(POLICY_RULES),
    mode: z.enum(["enforce", "warn"]).openapi({ description: "`enforce`: it is refused." }),
    subject: z.object({
      kind: z.enum(["providerKey", "key"]),
      id: z.string(),
      name: z.string(),
    }),
    message: z.string(),
    calls: z
      .number()
      .nullable()
      .openapi({
        type: ["integer", "null"],
        description: "Calls of the last day that broke it; null where it is not calls that do.",
      }),
  })
  .openapi("PolicyViolation");

const list = (description: string) => z.array(z.string()).nullable().openapi({ description });

const policySchema = z
  .object({
    environmentId: z.string().openapi({ example: "env_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    environment: z.string().openapi({ example: "production" }),
    rules: modesSchema,
    allowedIps: list("For `allowed_ips`. Null: from everywhere."),
    allowedModels: list(
      "For `allowed_models`: names, or beginnings with a star. Null: every model.",
    ),
    allowedEndpoints: list("For `allowed_endpoints`. Null: every endpoint."),
    maxOutputTokens: z
      .number()
      .nullable()
      .openapi({
        type: ["integer", "null"],
        description: "For `max_output_tokens`. Null: no limit.",
      }),
    violations: z.array(violationSchema).openapi({ description: "What breaks the policy now." }),
  })
  .openapi("EnvironmentPolicy");

const changedPolicySchema = policySchema
  .extend({ warnings: endpointWarningsField })
  .openapi("ChangedEnvironmentPolicy");

const policyChange = closedObject({
  rules: closedObject(perRule(() => modeField.nullish().openapi({ type: ["string", "null"] })))
    .optional()
    .openapi({ description: "Null: as the environment's kind has it." }),
  allowedIps: listOfNames(ipField, "For `allowed_ips`. Null: from everywhere."),
  allowedModels: listOfNames(patternField, "For `allowed_models`. Null: every model."),
  allowedEndpoints: listOfNames(endpointField, "For `allowed_endpoints`. Null: every endpoint."),
  maxOutputTokens: z
    .int()
    .min(MIN_OUTPUT_TOKENS)
    .max(MAX_OUTPUT_TOKENS)
    .nullish()
    .openapi({
      type: ["integer", "null"],
      description:
        "For `max_output_tokens`: a call that asks for more is refused, one that sets no limit is sent with this one. Null: no limit.",
    }),
}).openapi("EnvironmentPolicyChange");

const getPolicy = createRoute({
  method: "get",
  path: "/environments/{id}/policy",
  operationId: "getEnvironmentPolicy",
  tags: ["environments"],
  summary: "Get an environment's policy, and what breaks it",
  description: "By id or name.",
  request: { params: idParam("production"), query: closedQuery({}) },
  responses: { 200: jsonAnswer("The policy.", policySchema), ...errorAnswers("not_found") },
});

const updatePolicy = createRoute({
  method: "patch",
  path: "/environments/{id}/policy",
  operationId: "updateEnvironmentPolicy",
  tags: ["environments"],
  summary: "Change an environment's policy",
  description:
    "By id or name. Reaches every process within a second. A field that is absent stays as it is.",
  request: { params: idParam("production"), query: closedQuery({}), body: jsonBody(policyChange) },
  responses: {
    200: jsonAnswer("The policy, changed.", changedPolicySchema),
    ...errorAnswers("not_found", ...BODY_CODES),
  },
});

export function registerEnvironmentPolicy(
  router: AdminRouter,
  deps: Pick<AdminDeps, "store" | "providers" | "clock">,
): void {
  const { store, clock } = deps;
  const answer = async (record: EnvironmentRecord): Promise<z.input<typeof policySchema>> => ({
    environmentId: record.id,
    environment: record.name,
    ...formatPolicy(resolvePolicy(record.kind, record.policy)),
    violations: [...(await findViolations(deps, record, clock.nowMs()))],
  });

  router.openapi(getPolicy, async (context) => {
    const record = await findEnvironment(store, context.req.valid("param").id);
    if (!record) return refuse(context, "not_found", NOT_FOUND, "id");
    return context.json(await answer(record), 200);
  });

  router.openapi(updatePolicy, async (context) => {
    const change = context.req.valid("json");
    const { id } = context.req.valid("param");
    // Read and written in one transaction: of two changes at once none undoes the other's.
    const changed = await store.transaction(async ({ environments }) => {
      const record = await findEnvironment({ environments }, id);
      if (record === undefined) return undefined;
      const policy = changedSettings(record.policy, change);
      await environments.update(record.id, { policy });
      return { ...record, policy };
    });
    if (!changed) return refuse(context, "not_found", NOT_FOUND, "id");
    const warnings = endpointWarnings(change.allowedEndpoints);
    return context.json({ ...(await answer(changed)), warnings }, 200);
  });
}

const NOT_FOUND = "There is no environment of this id or name.";

function changedSettings(
  settings: PolicySettings,
  { rules = {}, ...bounds }: z.output<typeof policyChange>,
): PolicySettings {
  const given = Object.fromEntries(
    Object.entries(bounds).filter(([, value]) => value !== undefined),
  ) as PolicySettings;
  const modes: Partial<Record<PolicyRule, RuleMode>> = { ...settings.modes };
  for (const rule of POLICY_RULES) {
    const mode = rules[rule];
    if (mode === null) delete modes[rule];
    else if (mode !== undefined) modes[rule] = mode;
  }
  return { ...changePolicy(settings, given), modes };
}

function formatPolicy(policy: EnvironmentPolicy) {
  const { modes, allowedIps, allowedModels, allowedEndpoints, maxOutputTokens } = policy;
  return {
    rules: { ...modes },
    allowedIps: allowedIps && [...allowedIps],
    allowedModels: allowedModels && [...allowedModels],
    allowedEndpoints: allowedEndpoints && [...allowedEndpoints],
    maxOutputTokens,
  };
}

function perRule<Field>(make: () => Field): Record<PolicyRule, Field> {
  return Object.fromEntries(POLICY_RULES.map((rule) => [rule, make()])) as Record<
    PolicyRule,
    Field
  >;
}
