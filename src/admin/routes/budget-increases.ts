import { createRoute, z } from "@hono/zod-openapi";
import { takenBackAt } from "../../core/budgets/budget.ts";
import type { AdminRouter } from "../admin-router.ts";
import { jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse, refuseProblems } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { formatInstant } from "../fields/instants.ts";
import {
  ARCHIVED,
  type BudgetDeps,
  findBudget,
  formatAgain,
  ID_PARAM,
  NOT_FOUND,
} from "./budget-answers.ts";
import { budgetSchema, increaseInput } from "./budget-schemas.ts";

/** Those of one budget that have not ended. */
const MAX_INCREASES = 100;

const addIncrease = createRoute({
  method: "post",
  path: "/budgets/{id}/increases",
  operationId: "increaseBudget",
  tags: ["budgets"],
  summary: "Raise a budget's limit until an instant",
  request: { params: ID_PARAM, query: closedQuery({}), body: jsonBody(increaseInput) },
  responses: {
    201: jsonAnswer("The budget, increased.", budgetSchema),
    ...errorAnswers("not_found", "conflict", ...BODY_CODES),
  },
});

const endIncrease = createRoute({
  method: "delete",
  path: "/budgets/{id}/increases/{increaseId}",
  operationId: "endBudgetIncrease",
  tags: ["budgets"],
  summary: "Take back an increase of a budget's limit before it ends",
  description:
    "Holds in every process within a second, as a limit that is lowered does: what is spent and set aside stays, and nothing more is until it is below the limit.",
  request: {
    params: ID_PARAM.extend({
      increaseId: z.string().openapi({
        param: { name: "increaseId", in: "path" },
        example: "inc_01JZ6Y4V2S8W3N5R7T9X0B1C2D",
      }),
    }),
    query: closedQuery({}),
  },
  responses: {
    200: jsonAnswer("The budget, without it.", budgetSchema),
    ...errorAnswers("not_found", "conflict"),
  },
});

export function registerBudgetIncreases(router: AdminRouter, deps: BudgetDeps): void {
  const { store, ids, clock } = deps;

  router.openapi(addIncrease, async (context) => {
    const budget = await findBudget(deps, context.req.valid("param").id);
    if (budget === undefined) return refuse(context, "not_found", NOT_FOUND, "id");
    const { amountUsd, until, reason } = context.req.valid("json");
    const nowMs = clock.nowMs();
    if (until <= nowMs) {
      const message = `\`until\` must be after now, which is ${formatInstant(nowMs)}.`;
      return refuseProblems(context, [{ param: "until", message }]);
    }
    if (budget.increases.filter(({ untilMs }) => untilMs > nowMs).length >= MAX_INCREASES) {
      const message = `A budget has at most ${MAX_INCREASES} increases at a time. Change its limit instead.`;
      return refuse(context, "conflict", message);
    }
    const isAdded = await store.budgets.addIncrease(budget.id, {
      id: ids.create("inc"),
      amountPicos: amountUsd,
      fromMs: nowMs,
      untilMs: until,
      reason: reason ?? null,
      createdBy: context.get("actor"),
      createdAtMs: nowMs,
    });
    if (!isAdded) return refuse(context, "conflict", ARCHIVED);
    return context.json(await formatAgain(deps, budget), 201);
  });

  router.openapi(endIncrease, async (context) => {
    const { id, increaseId } = context.req.valid("param");
    const budget = await findBudget(deps, id);
    if (budget === undefined) return refuse(context, "not_found", NOT_FOUND, "id");
    if (budget.archivedAtMs !== null) return refuse(context, "conflict", ARCHIVED);
    const increase = budget.increases.find((one) => one.id === increaseId);
    if (increase === undefined) return refuse(context, "not_found", NO_INCREASE, "increaseId");
    const nowMs = clock.nowMs();
    const isEnded =
      increase.untilMs > nowMs &&
      (await store.budgets.endIncrease(budget.id, increase.id, takenBackAt(increase, nowMs)));
    if (!isEnded) return refuse(context, "conflict", ENDED);
    return context.json(await formatAgain(deps, budget), 200);
  });
}

const NO_INCREASE =
  "The budget has no increase of this id; `keyward budgets show` has those that hold.";
const ENDED = "The increase has ended already.";
