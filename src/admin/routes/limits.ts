import { createRoute, type z } from "@hono/zod-openapi";
import { isId } from "../../core/ids/ids.ts";
import type { LimitUse } from "../../core/limits/limit-use.ts";
import type { Limit } from "../../core/limits/limit.ts";
import { countedAt, type SlidingWindow, totalOf } from "../../core/limits/sliding-window.ts";
import type { Scope } from "../../core/scopes/scope.ts";
import type { LimitRecord } from "../../store/records.ts";
import { MAX_LIMITS } from "../../store/store.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import type { Problem } from "../answers/error-body.ts";
import { jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse, refuseProblems } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { formatInstant } from "../fields/instants.ts";
import { idParam } from "../fields/names.ts";
import { listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import { scopeFilterFields } from "../fields/scope-fields.ts";
import { NameLookup } from "../name-lookup.ts";
import { findScope, findScopeFilter, nameOfSubject } from "../scopes.ts";
import { limitChange, limitInput, limitSchema, usedLimitSchema } from "./limit-schemas.ts";

type LimitDeps = Pick<AdminDeps, "store" | "ids" | "clock">;

const ID_PARAM = idParam("lim_01JZ6Y4V2S8W3N5R7T9X0B1C2D");

const listLimits = createRoute({
  method: "get",
  path: "/limits",
  operationId: "listLimits",
  tags: ["limits"],
  summary: "List limits, newest first",
  request: { query: closedQuery({ ...pagingFields, ...scopeFilterFields }) },
  responses: {
    200: jsonAnswer("A page of limits.", listOf("LimitList", limitSchema)),
    ...errorAnswers(),
  },
});

const createLimit = createRoute({
  method: "post",
  path: "/limits",
  operationId: "createLimit",
  tags: ["limits"],
  summary: "Limit requests, tokens or calls in flight of a scope",
  description:
    "Holds over all processes, within a second. A call that several limits count must be within all of them. There is one limit for each scope.",
  request: { query: closedQuery({}), body: jsonBody(limitInput) },
  responses: {
    201: jsonAnswer("The limit.", limitSchema),
    ...errorAnswers("conflict", ...BODY_CODES),
  },
});

const getLimit = createRoute({
  method: "get",
  path: "/limits/{id}",
  operationId: "getLimit",
  tags: ["limits"],
  summary: "Get a limit, and what counts of it now",
  request: { params: ID_PARAM, query: closedQuery({}) },
  responses: { 200: jsonAnswer("The limit.", usedLimitSchema), ...errorAnswers("not_found") },
});

const updateLimit = createRoute({
  method: "patch",
  path: "/limits/{id}",
  operationId: "updateLimit",
  tags: ["limits"],
  summary: "Change a limit's amounts",
  description: "An amount that is absent stays as it is; null takes it away. At least one stays.",
  request: { params: ID_PARAM, query: closedQuery({}), body: jsonBody(limitChange) },
  responses: {
    200: jsonAnswer("The limit, changed.", limitSchema),
    ...errorAnswers("not_found", ...BODY_CODES),
  },
});

const removeLimit = createRoute({
  method: "delete",
  path: "/limits/{id}",
  operationId: "removeLimit",
  tags: ["limits"],
  summary: "Remove a limit",
  request: { params: ID_PARAM, query: closedQuery({}) },
  responses: { 200: jsonAnswer("The limit as it was.", limitSchema), ...errorAnswers("not_found") },
});

export function registerLimits(router: AdminRouter, deps: LimitDeps): void {
  const { store } = deps;

  router.openapi(listLimits, async (context) => {
    const query = context.req.valid("query");
    const filter = await findScopeFilter(store, query);
    if ("problems" in filter) return refuseProblems(context, filter.problems);
    const page = await store.limits.list(pageRequestOf(query), filter);
    const names = new NameLookup(store);
    const data = await Promise.all(page.rows.map((record) => formatLimit(names, record)));
    return context.json({ data, nextCursor: page.nextCursor }, 200);
  });

  router.openapi(createLimit, async (context) => {
    const input = context.req.valid("json");
    const scope = await findScope(store, "scope", input.scope);
    const amounts = amountsOf(input);
    const problems = [...("problems" in scope ? scope.problems : []), ...problemsOf(amounts)];
    if ("problems" in scope || problems.length > 0) return refuseProblems(context, problems);
    const record: LimitRecord = {
      id: deps.ids.create("lim"),
      scope,
      ...amounts,
      createdAtMs: deps.clock.nowMs(),
    };
    if ((await store.limits.count(MAX_LIMITS)) >= MAX_LIMITS) {
      return refuse(context, "conflict", TOO_MANY);
    }
    const same = await findLimitOf(store, scope);
    if (same !== undefined) return refuse(context, "conflict", describeSame(same), "scope");
    await store.limits.insert(record);
    return context.json(await formatLimit(new NameLookup(store), record), 201);
  });

  router.openapi(getLimit, async (context) => {
    const record = await findLimit(deps, context.req.valid("param").id);
    if (!record) return refuse(context, "not_found", NOT_FOUND, "id");
    return context.json(await formatUsedLimit(deps, record), 200);
  });

  router.openapi(updateLimit, async (context) => {
    const found = await findLimit(deps, context.req.valid("param").id);
    if (!found) return refuse(context, "not_found", NOT_FOUND, "id");
    const change = context.req.valid("json");
    const changed = await store.transaction(async ({ limits }) => {
      const current = await limits.findById(found.id);
      if (current === undefined) return "gone";
      const record = { ...current, ...amountsOf(change, current) };
      const problems = problemsOf(record);
      if (problems.length > 0) return { problems };
      await limits.update(record);
      return { record };
    });
    if (changed === "gone") return refuse(context, "not_found", NOT_FOUND, "id");
    if ("problems" in changed) return refuseProblems(context, changed.problems);
    return context.json(await formatLimit(new NameLookup(store), changed.record), 200);
  });

  router.openapi(removeLimit, async (context) => {
    const found = await findLimit(deps, context.req.valid("param").id);
    if (!found) return refuse(context, "not_found", NOT_FOUND, "id");
    await store.limits.remove(found.id);
    return context.json(await formatLimit(new NameLookup(store), found), 200);
  });
}

const NOT_FOUND = "There is no limit of this id.";
const TOO_MANY = `There are ${MAX_LIMITS} limits, which is as many as there may be. A limit without an \`id\` in its scope holds for each one by itself: it can stand for many.`;
const MAX_USES_SHOWN = 100;

export type LimitAmounts = Pick<Limit, "requestsPerMinute" | "tokensPerMinute" | "concurrency">;
type Given = { readonly [Name in keyof LimitAmounts]?: number | null | undefined };

const NO_AMOUNTS: LimitAmounts = {
  requestsPerMinute: null,
  tokensPerMinute: null,
  concurrency: null,
};

/** What is absent stays as it is. */
export function amountsOf(given: Given, current: LimitAmounts = NO_AMOUNTS): LimitAmounts {
  const pick = (name: keyof LimitAmounts): number | null => {
    const amount = given[name];
    return amount === undefined ? current[name] : amount;
  };
  return {
    requestsPerMinute: pick("requestsPerMinute"),
    tokensPerMinute: pick("tokensPerMinute"),
    concurrency: pick("concurrency"),
  };
}

export function problemsOf(amounts: LimitAmounts, param = "requestsPerMinute"): readonly Problem[] {
  const { requestsPerMinute, tokensPerMinute, concurrency } = amounts;
  if (requestsPerMinute !== null || tokensPerMinute !== null || concurrency !== null) return [];
  const message =
    "A limit must limit something. `requestsPerMinute` is not set; `tokensPerMinute` is not set; `concurrency` is not set.";
  return [{ param, message }];
}

/** Two limits on the same calls would say what one can, and only the lower would count. */
async function findLimitOf({ limits }: Pick<LimitDeps["store"], "limits">, scope: Scope) {
  const page = await limits.list({ limit: 1 }, { scopeKind: scope.kind, scopeId: scope.id });
  return page.rows[0];
}

function describeSame({ id }: LimitRecord): string {
  return `There is a limit for this scope, ${id}. Change its amounts: \`keyward limits update ${id}\`, or \`PATCH /api/v1/limits/${id}\`.`;
}

async function findLimit({ store }: Pick<LimitDeps, "store">, id: string) {
  return isId("lim", id) ? store.limits.findById(id) : undefined;
}

async function formatLimit(
  names: NameLookup,
  record: LimitRecord,
): Promise<z.input<typeof limitSchema>> {
  const { id, scope, createdAtMs } = record;
  return {
    id,
    scope: {
      kind: scope.kind,
      id: scope.id,
      name: scope.id === null ? null : await nameOfSubject(names, scope.kind, scope.id),
    },
    ...amountsOf(record),
    createdAt: formatInstant(createdAtMs),
  };
}

async function formatUsedLimit(
  { store, clock }: Pick<LimitDeps, "store" | "clock">,
  record: LimitRecord,
): Promise<z.input<typeof usedLimitSchema>> {
  const [found, processes] = await Promise.all([
    store.limitUses.listOf(record.id, MAX_USES_SHOWN),
    store.processes.listRunning(),
  ]);
  const running = new Set<string>(processes.map(({ id }) => id));
  const names = new NameLookup(store);
  const nowMs = clock.nowMs();
  const uses = found.map(async (use) => {
    const requests = splitAt(countedAt(use.requests, nowMs), nowMs);
    const tokens = splitAt(countedAt(use.tokens, nowMs), nowMs);
    const slots = slotsOf(use, running);
    return {
      subject: use.subject,
      name: await nameOfSubject(names, record.scope.kind, use.subject),
      requests: requests.used,
      requestsSetAside: requests.setAside,
      tokens: tokens.used,
      tokensSetAside: tokens.setAside,
      callsInFlight: slots.inFlight,
      slotsSetAside: slots.setAside,
    };
  });
  const shown = (await Promise.all(uses)).filter(({ subject: _subject, name: _name, ...counts }) =>
    Object.values(counts).some((count) => count > 0),
  );
  return { ...(await formatLimit(names, record)), uses: shown };
}

/** What is recorded ahead has not been used, or not for longer than it takes to say so. */
function splitAt(window: SlidingWindow, nowMs: number) {
  const used = totalOf(window.filter(({ atMs }) => atMs <= nowMs));
  return { used, setAside: totalOf(window) - used };
}

function slotsOf({ slots }: LimitUse, running: ReadonlySet<string>) {
  let held = 0;
  let inFlight = 0;
  for (const [processId, one] of Object.entries(slots)) {
    if (!running.has(processId)) continue;
    held += one.held;
    inFlight += one.inFlight;
  }
  return { inFlight, setAside: held - inFlight };
}
