import { createRoute, type z } from "@hono/zod-openapi";
import { isId, type EnvironmentId } from "../../core/ids/ids.ts";
import { nearestName } from "../../core/text/nearest-name.ts";
import { listAll } from "../../store/list-all.ts";
import type { ProviderAccountRecord, RoutingRuleRecord } from "../../store/records.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import type { Problem } from "../answers/error-body.ts";
import { jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse, refuseProblems } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { formatInstant } from "../fields/instants.ts";
import { idParam } from "../fields/names.ts";
import { listOf } from "../fields/paging.ts";
import { quoteInput } from "../fields/quote-input.ts";
import { NameLookup } from "../name-lookup.ts";
import { References } from "../references.ts";
import { keysAllowedBy, listPlacedKeys, placeRule, type PlacedKey } from "../routing-rules.ts";
import {
  environmentReference,
  MAX_RULES_AN_ENVIRONMENT,
  ruleChange,
  ruleInput,
  ruleSchema,
} from "./routing-rule-schemas.ts";

type RuleDeps = Pick<AdminDeps, "store" | "ids" | "clock" | "providers">;
type RuleAnswer = z.infer<typeof ruleSchema>;

const ID_PARAM = idParam("rul_01JZ6Y4V2S8W3N5R7T9X0B1C2D");

const listRules = createRoute({
  method: "get",
  path: "/routing-rules",
  operationId: "listRoutingRules",
  tags: ["routing rules"],
  summary: "List routing rules, in the order in which they are asked",
  description: "All of them on one page; without `environment` those of every environment.",
  request: { query: closedQuery({ environment: environmentReference.optional() }) },
  responses: {
    200: jsonAnswer("The routing rules.", listOf("RoutingRuleList", ruleSchema)),
    ...errorAnswers(),
  },
});

const createRule = createRoute({
  method: "post",
  path: "/routing-rules",
  operationId: "createRoutingRule",
  tags: ["routing rules"],
  summary: "Send an environment's calls for some models to an account, a provider or another model",
  request: { query: closedQuery({}), body: jsonBody(ruleInput) },
  responses: {
    201: jsonAnswer("The routing rule.", ruleSchema),
    ...errorAnswers("conflict", ...BODY_CODES),
  },
});

const getRule = createRoute({
  method: "get",
  path: "/routing-rules/{id}",
  operationId: "getRoutingRule",
  tags: ["routing rules"],
  summary: "Get a routing rule",
  request: { params: ID_PARAM, query: closedQuery({}) },
  responses: { 200: jsonAnswer("The routing rule.", ruleSchema), ...errorAnswers("not_found") },
});

const updateRule = createRoute({
  method: "patch",
  path: "/routing-rules/{id}",
  operationId: "updateRoutingRule",
  tags: ["routing rules"],
  summary: "Change a routing rule",
  description: "A field that is absent stays as it is; null takes it away.",
  request: { params: ID_PARAM, query: closedQuery({}), body: jsonBody(ruleChange) },
  responses: {
    200: jsonAnswer("The routing rule, changed.", ruleSchema),
    ...errorAnswers("not_found", ...BODY_CODES),
  },
});

const removeRule = createRoute({
  method: "delete",
  path: "/routing-rules/{id}",
  operationId: "removeRoutingRule",
  tags: ["routing rules"],
  summary: "Remove a routing rule",
  request: { params: ID_PARAM, query: closedQuery({}) },
  responses: {
    200: jsonAnswer("The routing rule as it was.", ruleSchema),
    ...errorAnswers("not_found"),
  },
});

export function registerRoutingRules(router: AdminRouter, deps: RuleDeps): void {
  const { store } = deps;

  router.openapi(listRules, async (context) => {
    const query = context.req.valid("query");
    const references = new References(store);
    const environment =
      query.environment && (await references.environment("environment", query.environment));
    if (references.problems.length > 0) return refuseProblems(context, references.problems);
    const environmentIds = environment ? [environment.id] : await everyEnvironment(deps);
    const answers = await Promise.all(environmentIds.map((id) => formatRules(deps, id)));
    return context.json({ data: answers.flat(), nextCursor: null }, 200);
  });

  router.openapi(createRule, async (context) => {
    const added = await addRule(deps, context.req.valid("json"));
    if (added === "full") return refuse(context, "conflict", TOO_MANY);
    if ("problems" in added) return refuseProblems(context, added.problems);
    return context.json(await formatRule(deps, added.record), 201);
  });

  router.openapi(getRule, async (context) => {
    const record = await findRuleRecord(deps, context.req.valid("param").id);
    if (!record) return refuse(context, "not_found", NOT_FOUND, "id");
    return context.json(await formatRule(deps, record), 200);
  });

  router.openapi(updateRule, async (context) => {
    const found = await findRuleRecord(deps, context.req.valid("param").id);
    if (!found) return refuse(context, "not_found", NOT_FOUND, "id");
    const changed = await changeRule(deps, found, context.req.valid("json"));
    if (changed === "gone") return refuse(context, "not_found", NOT_FOUND, "id");
    if ("problems" in changed) return refuseProblems(context, changed.problems);
    return context.json(await formatRule(deps, changed.record), 200);
  });

  router.openapi(removeRule, async (context) => {
    const found = await findRuleRecord(deps, context.req.valid("param").id);
    if (!found) return refuse(context, "not_found", NOT_FOUND, "id");
    const answer = await formatRule(deps, found);
    await store.routingRules.remove(found.id);
    return context.json(answer, 200);
  });
}

type Refused = { readonly problems: readonly Problem[] };
type Done = { readonly record: RoutingRuleRecord };

async function addRule(
  deps: RuleDeps,
  input: z.output<typeof ruleInput>,
): Promise<Done | Refused | "full"> {
  const references = new References(deps.store);
  const [environment, account] = await Promise.all([
    references.environment("environment", input.environment),
    input.accountId ? references.account("accountId", input.accountId) : undefined,
  ]);
  if (environment === undefined || references.problems.length > 0) {
    return { problems: references.problems };
  }
  const record: RoutingRuleRecord = {
    id: deps.ids.create("rul"),
    environmentId: environment.id,
    position: 0,
    model: input.model,
    provider: input.provider ?? null,
    accountId: account?.id ?? null,
    targetModel: input.targetModel ?? null,
    createdAtMs: deps.clock.nowMs(),
  };
  const problems = problemsOf(deps, record, account);
  if (problems.length > 0) return { problems };
  return deps.store.transaction(async (repositories) => {
    const { length } = await repositories.routingRules.listOf(environment.id);
    if (length >= MAX_RULES_AN_ENVIRONMENT) return "full";
    await placeRule(repositories, record, input.position);
    return { record };
  });
}

async function changeRule(
  deps: RuleDeps,
  found: RoutingRuleRecord,
  input: z.output<typeof ruleChange>,
): Promise<Done | Refused | "gone"> {
  const references = new References(deps.store);
  const account = input.accountId
    ? await references.account("accountId", input.accountId)
    : input.accountId === undefined && (await accountOf(deps, found));
  if (references.problems.length > 0) return { problems: references.problems };
  const apply = (rule: RoutingRuleRecord): RoutingRuleRecord => ({
    ...rule,
    model: input.model ?? rule.model,
    provider: input.provider === undefined ? rule.provider : input.provider,
    targetModel: input.targetModel === undefined ? rule.targetModel : input.targetModel,
    accountId: account ? account.id : null,
  });
  const problems = problemsOf(deps, apply(found), account || undefined);
  if (problems.length > 0) return { problems };
  return deps.store.transaction(async (repositories) => {
    const current = await repositories.routingRules.findById(found.id);
    if (current === undefined) return "gone";
    const record = apply(current);
    await placeRule(repositories, record, input.position);
    return { record };
  });
}

const NOT_FOUND = "There is no routing rule of this id.";
const TOO_MANY = `An environment has at most ${MAX_RULES_AN_ENVIRONMENT} routing rules. Remove one first, or let one with a \`*\` stand for several.`;

async function findRuleRecord({ store }: Pick<RuleDeps, "store">, id: string) {
  return isId("rul", id) ? store.routingRules.findById(id) : undefined;
}

async function accountOf({ store }: Pick<RuleDeps, "store">, { accountId }: RoutingRuleRecord) {
  return accountId === null ? undefined : store.providerAccounts.findById(accountId);
}

async function everyEnvironment({ store }: Pick<RuleDeps, "store">): Promise<EnvironmentId[]> {
  const environments = await listAll((page) => store.environments.list(page));
  return environments.map(({ id }) => id);
}

/** What is wrong with a rule whose references are all there. */
function problemsOf(
  { providers }: Pick<RuleDeps, "providers">,
  rule: Pick<RoutingRuleRecord, "provider" | "accountId" | "targetModel">,
  account: ProviderAccountRecord | undefined,
): readonly Problem[] {
  const { provider, accountId, targetModel } = rule;
  if (provider === null && accountId === null && targetModel === null) {
    const message = "A routing rule must name an account, a provider or a target model.";
    return [{ param: "accountId", message }];
  }
  if (provider === null) return [];
  if (providers.find(provider) === undefined) {
    const names = providers.list().map(({ name }) => name);
    const nearest = nearestName(provider, names);
    const advice =
      nearest === undefined ? `known are ${names.join(", ")}` : `did you mean \`${nearest}\`?`;
    const message = `There is no provider ${quoteInput(provider)}; ${advice}.`;
    return [{ param: "provider", message }];
  }
  if (account === undefined || account.provider === provider) return [];
  const message = `The account \`${account.name}\` is one at \`${account.provider}\`. Leave the provider out: the account alone says where calls go.`;
  return [{ param: "provider", message }];
}

async function formatRules(
  { store }: Pick<RuleDeps, "store">,
  environmentId: EnvironmentId,
): Promise<RuleAnswer[]> {
  const rules = await store.routingRules.listOf(environmentId);
  if (rules.length === 0) return [];
  const keys = await listPlacedKeys(store, environmentId);
  const names = new NameLookup(store);
  return Promise.all(
    rules.map((rule, index) => formatOne(rule, { names, keys, place: index + 1 })),
  );
}

/** Read anew: its place may be another than was asked for. */
async function formatRule(deps: RuleDeps, { id, environmentId }: RoutingRuleRecord) {
  const rule = (await formatRules(deps, environmentId)).find((one) => one.id === id);
  if (rule === undefined) throw new Error(`routing rule ${id} was removed by somebody else`);
  return rule;
}

async function formatOne(
  rule: RoutingRuleRecord,
  known: {
    readonly names: NameLookup;
    readonly keys: readonly PlacedKey[];
    readonly place: number;
  },
): Promise<RuleAnswer> {
  const { id, environmentId, model, accountId, provider, targetModel, createdAtMs } = rule;
  const { names, keys, place } = known;
  return {
    id,
    environmentId,
    environment: await names.environment(environmentId),
    position: place,
    model,
    accountId,
    account: accountId === null ? null : await names.account(accountId),
    provider,
    targetModel,
    providerKeys: keysAllowedBy(rule, keys).length,
    createdAt: formatInstant(createdAtMs),
  };
}
