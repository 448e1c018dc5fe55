import { createRoute, type z } from "@hono/zod-openapi";
import {
  createGatewayKey,
  hashGatewayKey,
  previewGatewayKey,
} from "../../core/keys/gateway-key.ts";
import type { UnusedFilter } from "../../store/gateway-key-repository.ts";
import type { GatewayKeyRecord } from "../../store/records.ts";
import { MAX_LIMITS } from "../../store/store.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import type { Problem } from "../answers/error-body.ts";
import { emptyBody, jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse, refuseProblems } from "../answers/refusal.ts";
import { endpointWarnings } from "../endpoint-warnings.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { formatInstant, formatOptionalInstant } from "../fields/instants.ts";
import { listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import { findOpenLeakOf } from "../leak-standing.ts";
import { References } from "../references.ts";
import { findKey, formatKey, formatKeys, KEY_ID_PARAM, NOT_FOUND, reload } from "./key-answers.ts";
import {
  changedKeySchema,
  issuedKeySchema,
  keyChange,
  keyDetailsSchema,
  keyFilterFields,
  keyInput,
  keySchema,
} from "./key-schemas.ts";
import { amountsOf, problemsOf } from "./limits.ts";

type KeyDeps = Pick<AdminDeps, "store" | "ids" | "clock" | "randomBytes">;

const listKeys = createRoute({
  method: "get",
  path: "/keys",
  operationId: "listKeys",
  tags: ["keys"],
  summary: "List gateway keys, newest first",
  request: { query: closedQuery({ ...pagingFields, ...keyFilterFields }) },
  responses: {
    200: jsonAnswer("A page of gateway keys.", listOf("KeyList", keySchema)),
    ...errorAnswers(),
  },
});

const createKey = createRoute({
  method: "post",
  path: "/keys",
  operationId: "createKey",
  tags: ["keys"],
  summary: "Issue a gateway key",
  description:
    "The key stands in clear in this answer and in no other: Keyward keeps its hash only.",
  request: { query: closedQuery({}), body: jsonBody(keyInput) },
  responses: {
    201: jsonAnswer("The gateway key, with the key itself.", issuedKeySchema),
    ...errorAnswers(...BODY_CODES),
  },
});

const getKey = createRoute({
  method: "get",
  path: "/keys/{id}",
  operationId: "getKey",
  tags: ["keys"],
  summary: "Get a gateway key",
  request: { params: KEY_ID_PARAM, query: closedQuery({}) },
  responses: {
    200: jsonAnswer("The gateway key.", keyDetailsSchema),
    ...errorAnswers("not_found"),
  },
});

const revokeKey = createRoute({
  method: "post",
  path: "/keys/{id}/revoke",
  operationId: "revokeKey",
  tags: ["keys"],
  summary: "Revoke a gateway key",
  description: "For good. Revoking twice changes nothing and is no error.",
  request: { params: KEY_ID_PARAM, query: closedQuery({}), body: emptyBody },
  responses: {
    200: jsonAnswer("The gateway key, revoked.", keySchema),
    ...errorAnswers("not_found", ...BODY_CODES),
  },
});

const updateKey = createRoute({
  method: "patch",
  path: "/keys/{id}",
  operationId: "updateKey",
  tags: ["keys"],
  summary: "Change what a gateway key may do",
  description:
    "Reaches every process within a second. A field that is absent stays as it is; null takes a limit away.",
  request: { params: KEY_ID_PARAM, query: closedQuery({}), body: jsonBody(keyChange) },
  responses: {
    200: jsonAnswer("The gateway key, changed.", changedKeySchema),
    ...errorAnswers("not_found", ...BODY_CODES),
  },
});

export function registerKeys(router: AdminRouter, deps: KeyDeps): void {
  const { store, clock } = deps;

  router.openapi(listKeys, async (context) => {
    const query = context.req.valid("query");
    const references = new References(store);
    const [environment, project, customer] = await Promise.all([
      query.environment && references.environment("environment", query.environment),
      query.project && references.project("project", query.project),
      query.customer && references.customer("customer", query.customer),
    ]);
    if (references.problems.length > 0) return refuseProblems(context, references.problems);
    const page = await store.gatewayKeys.list(pageRequestOf(query), {
      environmentId: environment ? environment.id : undefined,
      projectId: project ? project.id : undefined,
      customerId: customer ? customer.id : undefined,
      unused: unusedFilter(query, clock.nowMs()),
    });
    return context.json(
      { data: await formatKeys(deps, page.rows), nextCursor: page.nextCursor },
      200,
    );
  });

  router.openapi(createKey, async (context) => {
    const issued = await issueKey(deps, context.req.valid("json"));
    if ("problems" in issued) return refuseProblems(context, issued.problems);
    const { record, key, limit } = issued;
    const warnings = endpointWarnings(record.allowedEndpoints);
    return context.json({ ...(await formatKey(deps, record)), limit, key, warnings }, 201);
  });

  router.openapi(getKey, async (context) => {
    const record = await findKey(deps, context.req.valid("param").id);
    if (!record) return refuse(context, "not_found", NOT_FOUND, "id");
    const leakedAtMs = await findOpenLeakOf(store, record.id, clock.nowMs());
    const leakedAt = formatOptionalInstant(leakedAtMs);
    return context.json({ ...(await formatKey(deps, record)), leakedAt }, 200);
  });

  router.openapi(updateKey, async (context) => {
    const found = await findKey(deps, context.req.valid("param").id);
    if (!found) return refuse(context, "not_found", NOT_FOUND, "id");
    const { expiresAt, ...change } = context.req.valid("json");
    const problem = expiryProblem(expiresAt, clock.nowMs());
    if (problem !== undefined) return refuseProblems(context, [problem]);
    await store.gatewayKeys.update(found.id, {
      ...change,
      ...(expiresAt === undefined ? {} : { expiresAtMs: expiresAt }),
    });
    const record = await reload(store, found);
    const warnings = endpointWarnings(change.allowedEndpoints);
    return context.json({ ...(await formatKey(deps, record)), warnings }, 200);
  });

  router.openapi(revokeKey, async (context) => {
    const found = await findKey(deps, context.req.valid("param").id);
    if (!found) return refuse(context, "not_found", NOT_FOUND, "id");
    await store.gatewayKeys.revoke(found.id, clock.nowMs());
    const record = await reload(store, found);
    return context.json(await formatKey(deps, record), 200);
  });
}

const DAY_MS = 86_400_000;

function unusedFilter(
  query: { readonly unusedForDays?: number | undefined; readonly neverUsed?: string | undefined },
  nowMs: number,
): UnusedFilter | undefined {
  const { unusedForDays, neverUsed } = query;
  if (neverUsed === "true") return { sinceMs: null, nowMs };
  return unusedForDays === undefined
    ? undefined
    : { sinceMs: nowMs - unusedForDays * DAY_MS, nowMs };
}

function expiryProblem(expiresAtMs: number | null | undefined, nowMs: number): Problem | undefined {
  if (expiresAtMs === null || expiresAtMs === undefined || expiresAtMs > nowMs) return undefined;
  const message = `\`expiresAt\` must be in the future; it is ${formatInstant(nowMs)} now.`;
  return { param: "expiresAt", message };
}

const TOO_MANY_LIMITS = {
  param: "limits",
  message: `There are ${MAX_LIMITS} limits, which is as many as there may be. One of the scope \`key\` without an id holds for each key by itself.`,
};

async function issueKey(
  { store, ids, clock, randomBytes }: KeyDeps,
  input: z.output<typeof keyInput>,
) {
  const nowMs = clock.nowMs();
  const references = new References(store);
  const expiresAtMs = input.expiresAt ?? null;
  const [environment, project, customer] = await Promise.all([
    references.environment("environment", input.environment),
    references.project("project", input.project ?? undefined),
    input.customer ? references.customer("customer", input.customer) : null,
  ]);
  const problems = [...references.problems];
  const expired = expiryProblem(expiresAtMs, nowMs);
  if (expired !== undefined) problems.push(expired);
  const amounts = input.limits ? amountsOf(input.limits) : null;
  if (amounts !== null) problems.push(...problemsOf(amounts, "limits"));
  if (!environment || !project || problems.length > 0) return { problems };
  const key = createGatewayKey(environment.kind, randomBytes);
  const record: GatewayKeyRecord = {
    id: ids.create("key"),
    name: input.name,
    projectId: project.id,
    environmentId: environment.id,
    customerId: customer?.id ?? null,
    hash: hashGatewayKey(key),
    preview: previewGatewayKey(key),
    allowedModels: input.allowedModels ?? null,
    allowedEndpoints: input.allowedEndpoints ?? null,
    allowedIps: input.allowedIps ?? null,
    isForBrowsers: input.isForBrowsers ?? false,
    createdAtMs: nowMs,
    expiresAtMs,
    revokedAtMs: null,
  };
  if (amounts === null) {
    await store.gatewayKeys.insert(record);
    return { record, key, limit: null };
  }
  const limit = { id: ids.create("lim"), ...amounts };
  const isFull = await store.transaction(async ({ gatewayKeys, limits }) => {
    if ((await limits.count(MAX_LIMITS)) >= MAX_LIMITS) return true;
    await gatewayKeys.insert(record);
    await limits.insert({ ...limit, scope: { kind: "key", id: record.id }, createdAtMs: nowMs });
    return false;
  });
  return isFull ? { problems: [TOO_MANY_LIMITS] } : { record, key, limit };
}
