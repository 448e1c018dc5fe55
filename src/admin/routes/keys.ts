import { createRoute, type z } from "@hono/zod-openapi";
import { isId } from "../../core/ids/ids.ts";
import {
  createGatewayKey,
  hashGatewayKey,
  previewGatewayKey,
} from "../../core/keys/gateway-key.ts";
import type { GatewayKeyRecord } from "../../store/records.ts";
import { MAX_LIMITS } from "../../store/store.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { emptyBody, jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse, refuseProblems } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { formatInstant, formatOptionalInstant } from "../fields/instants.ts";
import { idParam } from "../fields/names.ts";
import { listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import { NameLookup } from "../name-lookup.ts";
import { References } from "../references.ts";
import { issuedKeySchema, keyFilterFields, keyInput, keySchema } from "./key-schemas.ts";
import { amountsOf, problemsOf } from "./limits.ts";

type KeyDeps = Pick<AdminDeps, "store" | "ids" | "clock" | "randomBytes">;

const KEY_ID_PARAM = idParam("key_01JZ6Y4V2S8W3N5R7T9X0B1C2D");

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
  responses: { 200: jsonAnswer("The gateway key.", keySchema), ...errorAnswers("not_found") },
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
    });
    const format = keyFormatter(deps);
    return context.json(
      { data: await Promise.all(page.rows.map(format)), nextCursor: page.nextCursor },
      200,
    );
  });

  router.openapi(createKey, async (context) => {
    const issued = await issueKey(deps, context.req.valid("json"));
    if ("problems" in issued) return refuseProblems(context, issued.problems);
    const { record, key, limit } = issued;
    return context.json({ ...(await keyFormatter(deps)(record)), limit, key }, 201);
  });

  router.openapi(getKey, async (context) => {
    const record = await findKey(deps, context.req.valid("param").id);
    if (!record) return refuse(context, "not_found", NOT_FOUND, "id");
    return context.json(await keyFormatter(deps)(record), 200);
  });

  router.openapi(revokeKey, async (context) => {
    const found = await findKey(deps, context.req.valid("param").id);
    if (!found) return refuse(context, "not_found", NOT_FOUND, "id");
    await store.gatewayKeys.revoke(found.id, clock.nowMs());
    const record = (await store.gatewayKeys.findById(found.id)) ?? found;
    return context.json(await keyFormatter(deps)(record), 200);
  });
}

const NOT_FOUND = "There is no gateway key of this id.";
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
  if (expiresAtMs !== null && expiresAtMs <= nowMs) {
    const message = `\`expiresAt\` must be in the future; it is ${formatInstant(nowMs)} now.`;
    problems.push({ param: "expiresAt", message });
  }
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

async function findKey({ store }: Pick<KeyDeps, "store">, id: string) {
  return isId("key", id) ? store.gatewayKeys.findById(id) : undefined;
}

/** Formats the keys of one answer; never their hash. */
function keyFormatter({ store, clock }: Pick<KeyDeps, "store" | "clock">) {
  const names = new NameLookup(store);
  const nowMs = clock.nowMs();
  return async (record: GatewayKeyRecord): Promise<z.input<typeof keySchema>> => {
    const { id, name, preview, projectId, environmentId, customerId, allowedModels } = record;
    const [project, environment, customer] = await Promise.all([
      names.project(projectId),
      names.environment(environmentId),
      customerId === null ? null : names.customer(customerId),
    ]);
    return {
      id,
      name,
      preview,
      projectId,
      project,
      environmentId,
      environment,
      customerId,
      customer,
      allowedModels: allowedModels === null ? null : [...allowedModels],
      status: statusOf(record, nowMs),
      createdAt: formatInstant(record.createdAtMs),
      expiresAt: formatOptionalInstant(record.expiresAtMs),
      revokedAt: formatOptionalInstant(record.revokedAtMs),
    };
  };
}

function statusOf(record: GatewayKeyRecord, nowMs: number): "active" | "expired" | "revoked" {
  if (record.revokedAtMs !== null) return "revoked";
  return record.expiresAtMs !== null && record.expiresAtMs <= nowMs ? "expired" : "active";
}
