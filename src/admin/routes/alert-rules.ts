import { createRoute, type z } from "@hono/zod-openapi";
import { ALERT_KIND_FACTS } from "../../core/alerts/alert-rule.ts";
import { isId } from "../../core/ids/ids.ts";
import type { AlertRuleRecord } from "../../store/alert-records.ts";
import { MAX_ALERT_RULES } from "../../store/alert-repositories.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { completeCondition, resolveChannels, resolveScope } from "../alert-rule-intake.ts";
import type { Problem } from "../answers/error-body.ts";
import { jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse, refuseProblems } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { formatInstant } from "../fields/instants.ts";
import { idParam } from "../fields/names.ts";
import { listOf } from "../fields/paging.ts";
import { NameLookup } from "../name-lookup.ts";
import { nameOfSubject } from "../scopes.ts";
import { uniqueViolationOf } from "../unique-violation.ts";
import { ruleChange, ruleInput, ruleSchema } from "./alert-rule-schemas.ts";

type RuleDeps = Pick<AdminDeps, "store" | "ids" | "clock">;

const TAGS = ["alerts"];
const ID_PARAM = idParam("alr_01JZ6Y4V2S8W3N5R7T9X0B1C2D");

const listRules = createRoute({
  method: "get",
  path: "/alert-rules",
  operationId: "listAlertRules",
  tags: TAGS,
  summary: "List alert rules, oldest first",
  description: "All of them on one page.",
  request: { query: closedQuery({}) },
  responses: {
    200: jsonAnswer("The rules.", listOf("AlertRuleList", ruleSchema)),
    ...errorAnswers(),
  },
});

const createRule = createRoute({
  method: "post",
  path: "/alert-rules",
  operationId: "createAlertRule",
  tags: TAGS,
  summary: "Add a rule that fires alerts",
  request: { query: closedQuery({}), body: jsonBody(ruleInput) },
  responses: {
    201: jsonAnswer("The rule.", ruleSchema),
    ...errorAnswers("conflict", ...BODY_CODES),
  },
});

const getRule = createRoute({
  method: "get",
  path: "/alert-rules/{id}",
  operationId: "getAlertRule",
  tags: TAGS,
  summary: "Get an alert rule",
  request: { params: ID_PARAM, query: closedQuery({}) },
  responses: { 200: jsonAnswer("The rule.", ruleSchema), ...errorAnswers("not_found") },
});

const updateRule = createRoute({
  method: "patch",
  path: "/alert-rules/{id}",
  operationId: "updateAlertRule",
  tags: TAGS,
  summary: "Change an alert rule",
  description: "A field that is absent stays as it is, and so does a setting.",
  request: { params: ID_PARAM, query: closedQuery({}), body: jsonBody(ruleChange) },
  responses: {
    200: jsonAnswer("The rule, changed.", ruleSchema),
    ...errorAnswers("not_found", "conflict", ...BODY_CODES),
  },
});

const removeRule = createRoute({
  method: "delete",
  path: "/alert-rules/{id}",
  operationId: "removeAlertRule",
  tags: TAGS,
  summary: "Remove an alert rule",
  description: "What it fired stays in the history.",
  request: { params: ID_PARAM, query: closedQuery({}) },
  responses: { 200: jsonAnswer("The rule as it was.", ruleSchema), ...errorAnswers("not_found") },
});

export function registerAlertRules(router: AdminRouter, deps: RuleDeps): void {
  const { store } = deps;

  router.openapi(listRules, async (context) => {
    const records = await store.alerts.rules.listAll();
    return context.json({ data: await formatRules(deps, records), nextCursor: null }, 200);
  });

  router.openapi(createRule, async (context) => {
    const { name, kind, ...input } = context.req.valid("json");
    if ((await store.alerts.rules.listAll()).length >= MAX_ALERT_RULES) {
      return refuse(context, "conflict", TOO_MANY);
    }
    const { defaults, defaultScope, defaultRepeat } = ALERT_KIND_FACTS[kind];
    const made = await applyChange(deps, input, {
      id: deps.ids.create("alr"),
      name,
      condition: { kind, settings: defaults } as AlertRuleRecord["condition"],
      scope: defaultScope,
      repeat: defaultRepeat,
      channelIds: null,
      isEnabled: true,
      createdAtMs: deps.clock.nowMs(),
    });
    if ("problems" in made) return refuseProblems(context, made.problems);
    const taken = await uniqueViolationOf(store.alerts.rules.insert(made.record));
    if (taken) return refuse(context, "conflict", TAKEN, "name");
    return context.json(await formatRule(deps, made.record), 201);
  });

  router.openapi(getRule, async (context) => {
    const record = await findRule(deps, context.req.valid("param").id);
    if (!record) return refuse(context, "not_found", NOT_FOUND, "id");
    return context.json(await formatRule(deps, record), 200);
  });

  router.openapi(updateRule, async (context) => {
    const found = await findRule(deps, context.req.valid("param").id);
    if (!found) return refuse(context, "not_found", NOT_FOUND, "id");
    const made = await applyChange(deps, context.req.valid("json"), found);
    if ("problems" in made) return refuseProblems(context, made.problems);
    const taken = await uniqueViolationOf(store.alerts.rules.update(made.record));
    if (taken) return refuse(context, "conflict", TAKEN, "name");
    return context.json(await formatRule(deps, made.record), 200);
  });

  router.openapi(removeRule, async (context) => {
    const found = await findRule(deps, context.req.valid("param").id);
    if (!found) return refuse(context, "not_found", NOT_FOUND, "id");
    await store.alerts.rules.remove(found.id);
    return context.json(await formatRule(deps, found), 200);
  });
}

const NOT_FOUND = "There is no alert rule of this id or name.";
const TAKEN = "There is an alert rule of this name already.";
const TOO_MANY = `There are ${MAX_ALERT_RULES} alert rules, which is as many as there can be. Remove one first.`;

function findRule({ store }: Pick<RuleDeps, "store">, text: string) {
  const { rules } = store.alerts;
  return isId("alr", text) ? rules.findById(text) : rules.findByName(text);
}

type Done = { readonly record: AlertRuleRecord };
type Refused = { readonly problems: readonly Problem[] };

/** The rule with what was given in place of what was there. */
async function applyChange(
  { store }: Pick<RuleDeps, "store">,
  input: z.output<typeof ruleChange>,
  rule: AlertRuleRecord,
): Promise<Done | Refused> {
  const { kind, settings } = rule.condition;
  const problems: Problem[] = [];
  const made = completeCondition(kind, input.settings ?? {}, settings);
  if ("problems" in made) problems.push(...made.problems);
  const scoped = input.scope
    ? await resolveScope(store, kind, input.scope)
    : { scope: input.scope === null ? ALERT_KIND_FACTS[kind].defaultScope : rule.scope };
  if ("problems" in scoped) problems.push(...scoped.problems);
  const told = input.channels
    ? await resolveChannels(store, input.channels)
    : { ids: input.channels === null ? null : rule.channelIds };
  if ("problems" in told) problems.push(...told.problems);
  if (input.repeat !== undefined && ALERT_KIND_FACTS[kind].defaultRepeat === null) {
    const message = `A rule of kind \`${kind}\` fires by the periods of the budgets: leave \`repeat\` out.`;
    problems.push({ param: "repeat", message });
  }
  if ("problems" in made || "problems" in scoped || "problems" in told || problems.length > 0) {
    return { problems };
  }
  const { name = rule.name, repeat = rule.repeat, isEnabled = rule.isEnabled } = input;
  const { condition } = made;
  const { scope } = scoped;
  return { record: { ...rule, name, repeat, isEnabled, condition, scope, channelIds: told.ids } };
}

type RuleAnswer = z.infer<typeof ruleSchema>;

async function formatRules(
  { store }: Pick<RuleDeps, "store">,
  records: readonly AlertRuleRecord[],
): Promise<RuleAnswer[]> {
  const channels = await store.alerts.channels.listAll();
  const channelNames = new Map(channels.map(({ id, name }) => [id, name]));
  const names = new NameLookup(store);
  return await Promise.all(
    records.map(async (record) => {
      const { id, name, condition, scope, repeat, channelIds, isEnabled, createdAtMs } = record;
      const scopeName = scope?.id == null ? null : await nameOfSubject(names, scope.kind, scope.id);
      return {
        id,
        name,
        kind: condition.kind,
        scope: scope === null ? null : { kind: scope.kind, id: scope.id, name: scopeName },
        settings: { ...condition.settings },
        repeat,
        channelIds: channelIds === null ? null : [...channelIds],
        // One that was removed is told no more.
        channels: channelIds?.flatMap((channelId) => channelNames.get(channelId) ?? []) ?? null,
        isEnabled,
        createdAt: formatInstant(createdAtMs),
      };
    }),
  );
}

async function formatRule(
  deps: Pick<RuleDeps, "store">,
  record: AlertRuleRecord,
): Promise<RuleAnswer> {
  const [answer] = await formatRules(deps, [record]);
  if (answer === undefined) throw new Error("one rule has one answer");
  return answer;
}
