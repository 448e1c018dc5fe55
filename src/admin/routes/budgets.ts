import { createRoute, z } from "@hono/zod-openapi";
import type { Budget } from "../../core/budgets/budget.ts";
import type { AdminRouter } from "../admin-router.ts";
import { jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse, refuseProblems } from "../answers/refusal.ts";
import { formatWindow, onlySubject } from "../budget-standing.ts";
import { closedObject, closedQuery } from "../fields/closed-object.ts";
import { referenceField } from "../fields/names.ts";
import { listAnswer, listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import { scopeFilterFields } from "../fields/scope-fields.ts";
import { findScope, findScopeFilter } from "../scopes.ts";
import {
  ARCHIVED,
  type BudgetDeps,
  findBudget,
  formatAgain,
  formatAll,
  formatOne,
  ID_PARAM,
  NOT_FOUND,
} from "./budget-answers.ts";
import { registerBudgetIncreases } from "./budget-increases.ts";
import { budgetChange, budgetInput, budgetSchema, windowSchema } from "./budget-schemas.ts";

/** All of them may count one call, which is as slow then as it takes to lock their windows. */
const MAX_BUDGETS = 1_000;

const listBudgets = createRoute({
  method: "get",
  path: "/budgets",
  operationId: "listBudgets",
  tags: ["budgets"],
  summary: "List budgets, newest first, with how they stand now",
  request: {
    query: closedQuery({
      ...pagingFields,
      ...scopeFilterFields,
      archived: z
        .enum(["true", "false"])
        .default("false")
        .openapi({ description: "Whether those that are archived are listed as well." }),
    }),
  },
  responses: {
    200: jsonAnswer("A page of budgets.", listOf("BudgetList", budgetSchema)),
    ...errorAnswers(),
  },
});

const createBudget = createRoute({
  method: "post",
  path: "/budgets",
  operationId: "createBudget",
  tags: ["budgets"],
  summary: "Limit what a scope's calls may cost in a period",
  description:
    "Holds in every process within a second, for the period that has begun, too: what its calls have cost already counts. What it counts never changes; its limit does.",
  request: { query: closedQuery({}), body: jsonBody(budgetInput) },
  responses: {
    201: jsonAnswer("The budget.", budgetSchema),
    ...errorAnswers("conflict", ...BODY_CODES),
  },
});

const getBudget = createRoute({
  method: "get",
  path: "/budgets/{id}",
  operationId: "getBudget",
  tags: ["budgets"],
  summary: "Get a budget, with how it stands now",
  request: { params: ID_PARAM, query: closedQuery({}) },
  responses: { 200: jsonAnswer("The budget.", budgetSchema), ...errorAnswers("not_found") },
});

const updateBudget = createRoute({
  method: "patch",
  path: "/budgets/{id}",
  operationId: "updateBudget",
  tags: ["budgets"],
  summary: "Change a budget's limit, name or enforcement",
  description: "Holds in every process within a second. A field that is absent stays as it is.",
  request: { params: ID_PARAM, query: closedQuery({}), body: jsonBody(budgetChange) },
  responses: {
    200: jsonAnswer("The budget, changed.", budgetSchema),
    ...errorAnswers("not_found", "conflict", ...BODY_CODES),
  },
});

const pauseBudget = switchRoute("pause", "Pause a budget: it counts, and refuses nothing");
const resumeBudget = switchRoute("resume", "Resume a budget that was paused");

function switchRoute<Verb extends "pause" | "resume">(verb: Verb, summary: string) {
  return createRoute({
    method: "post",
    path: `/budgets/{id}/${verb}`,
    operationId: `${verb}Budget`,
    tags: ["budgets"],
    summary,
    request: { params: ID_PARAM, query: closedQuery({}), body: jsonBody(closedObject({})) },
    responses: {
      200: jsonAnswer("The budget.", budgetSchema),
      ...errorAnswers("not_found", "conflict", ...BODY_CODES),
    },
  });
}

const listWindows = createRoute({
  method: "get",
  path: "/budgets/{id}/windows",
  operationId: "listBudgetWindows",
  tags: ["budgets"],
  summary: "List the periods of a budget that calls were made in, latest first",
  request: {
    params: ID_PARAM,
    query: closedQuery({
      ...pagingFields,
      subject: referenceField(
        "Only those of this one: of a budget for each customer, its external id.",
        "acme",
      ).optional(),
      current: z.enum(["true", "false"]).default("false").openapi({
        description: "Only those of now: of a budget for each customer, how each one stands.",
      }),
      order: z.enum(["latest", "fullest"]).default("latest").openapi({
        description:
          "`fullest`: only those of now, the one with the least left by what is spent first; not with `subject`.",
      }),
    }),
  },
  responses: {
    200: jsonAnswer("A page of periods.", listOf("BudgetWindowList", windowSchema)),
    ...errorAnswers("not_found"),
  },
});

const archiveBudget = createRoute({
  method: "delete",
  path: "/budgets/{id}",
  operationId: "archiveBudget",
  tags: ["budgets"],
  summary: "Archive a budget: from then on it counts and refuses nothing, and its history stays",
  request: { params: ID_PARAM, query: closedQuery({}) },
  responses: {
    200: jsonAnswer("The budget, archived.", budgetSchema),
    ...errorAnswers("not_found", "conflict"),
  },
});

export function registerBudgets(router: AdminRouter, deps: BudgetDeps): void {
  registerReads(router, deps);
  registerChanges(router, deps);
  registerBudgetIncreases(router, deps);
  const { store, ids, clock } = deps;

  router.openapi(createBudget, async (context) => {
    const { scope: given, limitUsd, timezone, ...input } = context.req.valid("json");
    const scope = await findScope(store, "scope", given);
    if ("problems" in scope) return refuseProblems(context, scope.problems);
    if ((await store.budgets.count()) >= MAX_BUDGETS) return refuse(context, "conflict", TOO_MANY);
    const budget: Budget = {
      ...input,
      id: ids.create("bud"),
      name: input.name ?? null,
      scope,
      limitPicos: limitUsd,
      timeZone: timezone,
      anchor: input.anchor ?? null,
      models: input.models ?? null,
      pausedAtMs: null,
      archivedAtMs: null,
      createdBy: context.get("actor"),
      createdAtMs: clock.nowMs(),
      increases: [],
    };
    await store.budgets.insert(budget);
    return context.json(await formatOne(deps, budget), 201);
  });
}

function registerReads(router: AdminRouter, deps: BudgetDeps): void {
  const { store, clock } = deps;

  router.openapi(listBudgets, async (context) => {
    const query = context.req.valid("query");
    const filter = await findScopeFilter(store, query);
    if ("problems" in filter) return refuseProblems(context, filter.problems);
    const found = await store.budgets.list(pageRequestOf(query), {
      ...filter,
      withArchived: query.archived === "true",
    });
    const data = await formatAll(deps, found.rows);
    return context.json({ data, nextCursor: found.nextCursor }, 200);
  });

  router.openapi(getBudget, async (context) => {
    const budget = await findBudget(deps, context.req.valid("param").id);
    if (budget === undefined) return refuse(context, "not_found", NOT_FOUND, "id");
    return context.json(await formatOne(deps, budget), 200);
  });

  router.openapi(listWindows, async (context) => {
    const budget = await findBudget(deps, context.req.valid("param").id);
    if (budget === undefined) return refuse(context, "not_found", NOT_FOUND, "id");
    const { subject, current, order, ...rest } = context.req.valid("query");
    const page = pageRequestOf(rest);
    const nowMs = clock.nowMs();
    if (order === "fullest" && subject !== undefined) {
      const message = "must not be given with `order=fullest`, which is about all of them.";
      return refuseProblems(context, [{ param: "subject", message }]);
    }
    const found =
      order === "fullest"
        ? await store.budgets.listFullest(page, { budget, atMs: nowMs })
        : await store.budgets.listWindows(page, {
            budgetId: budget.id,
            subject: subject ?? onlySubject(budget) ?? undefined,
            atMs: current === "true" ? nowMs : undefined,
          });
    return context.json(
      listAnswer(found, (record) => formatWindow(budget, record, nowMs)),
      200,
    );
  });
}

function registerChanges(router: AdminRouter, deps: BudgetDeps): void {
  const { store, clock } = deps;

  router.openapi(updateBudget, async (context) => {
    const budget = await findBudget(deps, context.req.valid("param").id);
    if (budget === undefined) return refuse(context, "not_found", NOT_FOUND, "id");
    const { name, limitUsd, enforcement, onTightBudget } = context.req.valid("json");
    const isChanged = await store.budgets.update(budget.id, {
      ...(name !== undefined && { name }),
      ...(limitUsd !== undefined && { limitPicos: limitUsd }),
      ...(enforcement !== undefined && { enforcement }),
      ...(onTightBudget !== undefined && { onTightBudget }),
    });
    if (!isChanged) return refuse(context, "conflict", ARCHIVED);
    return context.json(await formatAgain(deps, budget), 200);
  });

  router.openapi(pauseBudget, async (context) => {
    const budget = await findBudget(deps, context.req.valid("param").id);
    if (budget === undefined) return refuse(context, "not_found", NOT_FOUND, "id");
    // Paused twice, it is paused since the first time.
    const pausedAtMs = budget.pausedAtMs ?? clock.nowMs();
    const isChanged = await store.budgets.update(budget.id, { pausedAtMs });
    if (!isChanged) return refuse(context, "conflict", ARCHIVED);
    return context.json(await formatAgain(deps, budget), 200);
  });

  router.openapi(resumeBudget, async (context) => {
    const budget = await findBudget(deps, context.req.valid("param").id);
    if (budget === undefined) return refuse(context, "not_found", NOT_FOUND, "id");
    const isChanged = await store.budgets.update(budget.id, { pausedAtMs: null });
    if (!isChanged) return refuse(context, "conflict", ARCHIVED);
    return context.json(await formatAgain(deps, budget), 200);
  });

  router.openapi(archiveBudget, async (context) => {
    const budget = await findBudget(deps, context.req.valid("param").id);
    if (budget === undefined) return refuse(context, "not_found", NOT_FOUND, "id");
    const isArchived = await store.budgets.archive(budget.id, clock.nowMs());
    if (!isArchived) return refuse(context, "conflict", ARCHIVED);
    return context.json(await formatAgain(deps, budget), 200);
  });
}

const TOO_MANY = `There are ${MAX_BUDGETS} budgets already, the most there can be. Archive one that is not needed; one budget for each customer or key (a scope without an id) stands for any number of them.`;
