import { createRoute, z } from "@hono/zod-openapi";
import { hasSimulatorStandIn } from "../../core/environments/environment.ts";
import { parseModelPattern } from "../../core/routing/model-pattern.ts";
import { findRule } from "../../core/routing/routing-rule.ts";
import { servesCall } from "../../providers/serves-call.ts";
import type { EnvironmentRecord, RoutingRuleRecord } from "../../store/records.ts";
import { dialectOf } from "../../wire/dialect.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { jsonAnswer } from "../answers/json-content.ts";
import { errorAnswers, refuseProblems } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { References } from "../references.ts";
import { keysAllowedBy, listPlacedKeys, type PlacedKey } from "../routing-rules.ts";
import { formatHealth, providerKeyHealthSchema } from "./provider-key-health.ts";
import { environmentReference } from "./routing-rule-schemas.ts";

const waySchema = z
  .object({
    providerKeyId: z.string(),
    name: z.string(),
    account: z.string(),
    provider: z.string(),
    weight: z.number().openapi({ type: "integer" }),
    share: z.number().openapi({
      description: "Its share of the calls while every key is well, 0 to 1.",
      example: 0.5,
    }),
    health: providerKeyHealthSchema.nullable(),
  })
  .openapi("RoutingWay");

const routingTestSchema = z
  .object({
    environment: z.string(),
    model: z.string().nullable(),
    sentModel: z.string().nullable().openapi({ description: "What the provider is asked for." }),
    ruleId: z.string().nullable().openapi({ description: "The rule that decides; null: none." }),
    outcome: z.enum(["provider", "simulator", "refused"]).openapi({
      description: "Who would answer: one of `ways`, the built-in simulator, or Keyward, refusing.",
    }),
    refusedWith: z
      .enum(["no_provider_key", "routing_rule_unusable", "endpoint_not_served"])
      .nullable(),
    ways: z.array(waySchema).openapi({
      description: "The provider keys it would be sent with, the heaviest first.",
    }),
    leftOut: z
      .array(
        z.object({
          providerKeyId: z.string(),
          name: z.string(),
          account: z.string(),
          reason: z.enum(["rule", "endpoint"]),
        }),
      )
      .openapi({
        description:
          "Keys of the environment that it would not: the rule does not allow them, or their provider has no such endpoint.",
      }),
  })
  .openapi("RoutingTest");

const testRouting = createRoute({
  method: "get",
  path: "/routing-rules/test",
  operationId: "testRouting",
  tags: ["routing rules"],
  summary: "Say where a call would go, and why",
  description: "Nothing is sent.",
  request: {
    query: closedQuery({
      environment: environmentReference,
      model: z.string().min(1).max(256).optional().openapi({
        description: "What the call asks for; absent: a call whose model Keyward does not read.",
        example: "gpt-4o-mini",
      }),
      method: z
        .string()
        .regex(/^[A-Z]{1,10}$/, "must be a method in capital letters")
        .default("POST"),
      path: z
        .string()
        .regex(/^\/v1\/[\x21-\x7e]{1,256}$/, "must be a path under /v1/")
        .default("/v1/chat/completions"),
    }),
  },
  responses: { 200: jsonAnswer("Where it would go.", routingTestSchema), ...errorAnswers() },
});

type TestDeps = Pick<AdminDeps, "store" | "providers" | "clock" | "providerKeyHealth">;
type RoutingTest = z.infer<typeof routingTestSchema>;

/** Registered before the routes of single rules: `test` is no rule's id. */
export function registerRoutingTest(router: AdminRouter, deps: TestDeps): void {
  router.openapi(testRouting, async (context) => {
    const query = context.req.valid("query");
    const references = new References(deps.store);
    const environment = await references.environment("environment", query.environment);
    if (environment === undefined) return refuseProblems(context, references.problems);
    return context.json(await test(deps, environment, query), 200);
  });
}

interface TestedCall {
  readonly model?: string | undefined;
  readonly method: string;
  readonly path: string;
}

async function test(
  deps: TestDeps,
  environment: EnvironmentRecord,
  call: TestedCall,
): Promise<RoutingTest> {
  const { store } = deps;
  const [records, keys] = await Promise.all([
    store.routingRules.listOf(environment.id),
    listPlacedKeys(store, environment.id),
  ]);
  const model = call.model ?? null;
  const rule = findRule(records.map(withPattern), model)?.record;
  const allowed = rule === undefined ? keys : keysAllowedBy(rule, keys);
  const ways = allowed.filter(({ provider }) => serves(deps, provider, call));
  const total = ways.reduce((sum, { key }) => sum + key.weight, 0);
  const answer = outcomeOf(deps, { environment, rule, keys, allowed, ways });
  return {
    environment: environment.name,
    model,
    sentModel: model === null ? null : (rule?.targetModel ?? model),
    ruleId: rule?.id ?? null,
    ...answer,
    ways: ways
      .toSorted((a, b) => b.key.weight - a.key.weight)
      .map((way) => formatWay(deps, way, total)),
    leftOut: keys
      .filter((key) => !ways.includes(key))
      .map((key) => ({
        providerKeyId: key.key.id,
        name: key.key.name,
        account: key.account,
        reason: allowed.includes(key) ? "endpoint" : "rule",
      })),
  };
}

function withPattern(record: RoutingRuleRecord) {
  const pattern = parseModelPattern(record.model);
  if (pattern === undefined) throw new Error(`routing rule ${record.id} has no model pattern`);
  return { record, pattern };
}

function serves({ providers }: TestDeps, name: string, { method, path }: TestedCall): boolean {
  const provider = providers.find(name);
  const dialect = dialectOf(path, false);
  return provider !== undefined && servesCall(provider, { dialect, method, path });
}

function outcomeOf(
  { providers }: Pick<TestDeps, "providers">,
  found: {
    readonly environment: EnvironmentRecord;
    readonly rule: RoutingRuleRecord | undefined;
    readonly keys: readonly PlacedKey[];
    readonly allowed: readonly PlacedKey[];
    readonly ways: readonly PlacedKey[];
  },
): Pick<RoutingTest, "outcome" | "refusedWith"> {
  const { environment, rule, keys, allowed, ways } = found;
  if (ways.length > 0) return { outcome: "provider", refusedWith: null };
  // The simulator that stands in for missing keys belongs to no account, and costs nothing.
  const isStandInAllowed =
    rule === undefined ||
    (rule.accountId === null &&
      (rule.provider === null || providers.find(rule.provider)?.isFree === true));
  if (keys.length === 0 && isStandInAllowed) {
    return hasSimulatorStandIn(environment.kind)
      ? { outcome: "simulator", refusedWith: null }
      : { outcome: "refused", refusedWith: "no_provider_key" };
  }
  const refusedWith = allowed.length === 0 ? "routing_rule_unusable" : "endpoint_not_served";
  return { outcome: "refused", refusedWith };
}

function formatWay(
  { providerKeyHealth, clock }: TestDeps,
  { key, account, provider }: PlacedKey,
  totalWeight: number,
): RoutingTest["ways"][number] {
  const { id, name, weight } = key;
  const health = providerKeyHealth?.(key);
  return {
    providerKeyId: id,
    name,
    account,
    provider,
    weight,
    share: totalWeight === 0 ? 0 : Math.round((weight / totalWeight) * 1000) / 1000,
    health: health === undefined ? null : formatHealth(health, clock.nowMs()),
  };
}
