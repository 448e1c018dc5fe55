import { createRoute, z } from "@hono/zod-openapi";
import { isId } from "../../core/ids/ids.ts";
import { DEFERRED_KINDS, PENDING_PROBLEMS } from "../../core/usage/deferred-usage.ts";
import type { PendingUsageRecord } from "../../store/records.ts";
import { PENDING_STATES } from "../../store/store.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { emptyBody, jsonAnswer } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { formatInstant, formatOptionalInstant, instantAnswer } from "../fields/instants.ts";
import { idParam } from "../fields/names.ts";
import { listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import { NameLookup } from "../name-lookup.ts";

const pendingSchema = z
  .object({
    id: z.string().openapi({
      description: "The id of the usage event of the call that began the work.",
      example: "evt_01JZ6Y4V2S8W3N5R7T9X0B1C2D",
    }),
    requestId: z.string().openapi({ description: "That call's; its charge will have it, too." }),
    kind: z.enum(DEFERRED_KINDS).openapi({
      description: "A response in background mode, a batch, or a run of an assistant.",
    }),
    objectId: z.string().openapi({ description: "The provider's id of it.", example: "batch_abc" }),
    state: z.enum(PENDING_STATES).openapi({
      description: "`given_up`: nobody asks any more, until it is retried.",
    }),
    problem: z.enum(PENDING_PROBLEMS).nullable().openapi({
      description: "Why it was not charged when it was last asked for; null before the first time.",
    }),
    checks: z.number().openapi({ type: "integer", description: "How often it was asked for." }),
    createdAt: instantAnswer("When the call that began it was admitted."),
    lastCheckAt: instantAnswer("When it was last asked for.").nullable(),
    nextCheckAt: instantAnswer("When it is asked for next; null when it was given up.").nullable(),
    givenUpAt: instantAnswer("When it was given up; null while it is waited for.").nullable(),
    projectId: z.string(),
    project: z.string().nullable(),
    environmentId: z.string(),
    environment: z.string().nullable(),
    keyId: z.string().openapi({ description: "The gateway key's id." }),
    customer: z.string().nullable(),
    feature: z.string().nullable(),
    provider: z.string(),
    accountId: z.string().nullable(),
    account: z.string().nullable(),
    providerKeyId: z.string().nullable().openapi({ description: "The key that began it." }),
    model: z.string().nullable().openapi({
      description: "As the provider named it when the work began, or as it was asked for.",
    }),
  })
  .openapi("PendingUsage");

const listPendingUsage = createRoute({
  method: "get",
  path: "/usage/pending",
  operationId: "listPendingUsage",
  tags: ["usage"],
  summary: "List work that is charged when it has ended, newest first",
  description:
    "Responses in background mode, batches and runs that have not been charged yet, and those that were given up.",
  request: {
    query: closedQuery({ ...pagingFields, state: z.enum(PENDING_STATES).optional() }),
  },
  responses: {
    200: jsonAnswer("A page of pending usage.", listOf("PendingUsageList", pendingSchema)),
    ...errorAnswers(),
  },
});

const retryPendingUsage = createRoute({
  method: "post",
  path: "/usage/pending/{id}/retry",
  operationId: "retryPendingUsage",
  tags: ["usage"],
  summary: "Ask for pending usage at once, also for what was given up",
  description: "It is asked for within a second or two, and its checks are counted anew.",
  request: {
    params: idParam("evt_01JZ6Y4V2S8W3N5R7T9X0B1C2D"),
    query: closedQuery({}),
    body: emptyBody,
  },
  responses: {
    200: jsonAnswer("The pending usage.", pendingSchema),
    ...errorAnswers("not_found", ...BODY_CODES),
  },
});

const NOT_FOUND =
  "There is no pending usage of this id. It may have been charged: `keyward usage pending` lists what is waited for, `keyward usage events` what was charged.";

export function registerPendingUsage(
  router: AdminRouter,
  { store, clock }: Pick<AdminDeps, "store" | "clock">,
): void {
  router.openapi(listPendingUsage, async (context) => {
    const { state, ...query } = context.req.valid("query");
    const page = await store.pendingUsage.list(pageRequestOf(query), { state });
    const names = new NameLookup(store);
    const data = await Promise.all(page.rows.map((row) => formatPending(row, names)));
    return context.json({ data, nextCursor: page.nextCursor }, 200);
  });

  router.openapi(retryPendingUsage, async (context) => {
    const { id } = context.req.valid("param");
    const isThere = isId("evt", id) && (await store.pendingUsage.retry(id, clock.nowMs()));
    const record = isThere ? await store.pendingUsage.findById(id) : undefined;
    if (record === undefined) return refuse(context, "not_found", NOT_FOUND, "id");
    return context.json(await formatPending(record, new NameLookup(store)), 200);
  });
}

async function formatPending(
  record: PendingUsageRecord,
  names: NameLookup,
): Promise<z.infer<typeof pendingSchema>> {
  const { event, work, givenUpAtMs } = record;
  const { providerAccountId: accountId } = event;
  const [project, environment, account] = await Promise.all([
    names.project(event.projectId),
    names.environment(event.environmentId),
    accountId === null ? null : names.account(accountId),
  ]);
  return {
    id: event.id,
    requestId: event.requestId,
    kind: work.kind,
    objectId: work.objectId,
    state: givenUpAtMs === null ? "waiting" : "given_up",
    problem: record.problem,
    checks: record.checks,
    createdAt: formatInstant(record.createdAtMs),
    lastCheckAt: formatOptionalInstant(record.lastCheckAtMs),
    nextCheckAt: givenUpAtMs === null ? formatInstant(record.nextCheckAtMs) : null,
    givenUpAt: formatOptionalInstant(givenUpAtMs),
    projectId: event.projectId,
    project,
    environmentId: event.environmentId,
    environment,
    keyId: event.gatewayKeyId,
    customer: event.customer,
    feature: event.feature,
    provider: event.provider,
    accountId,
    account,
    providerKeyId: event.providerKeyId,
    model: event.servedModel ?? event.requestedModel,
  };
}
