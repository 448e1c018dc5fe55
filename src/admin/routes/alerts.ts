import { createRoute, type z } from "@hono/zod-openapi";
import { figuresOf } from "../../core/alerts/alert-content.ts";
import { isId, type AlertRuleId } from "../../core/ids/ids.ts";
import type { AlertDeliveryRecord, AlertRecord } from "../../store/alert-records.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { emptyBody, jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse, refuseProblems } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { formatInstant, formatOptionalInstant } from "../fields/instants.ts";
import { idParam } from "../fields/names.ts";
import { listAnswer, listOf, pageRequestOf } from "../fields/paging.ts";
import { quoteInput } from "../fields/quote-input.ts";
import { acknowledgement, alertDetailSchema, alertQuery, alertSchema } from "./alert-schemas.ts";

type AlertDeps = Pick<AdminDeps, "store" | "ids" | "clock">;

const TAGS = ["alerts"];
const ID_PARAM = idParam("alt_01JZ6Y4V2S8W3N5R7T9X0B1C2D");

const listAlerts = createRoute({
  method: "get",
  path: "/alerts",
  operationId: "listAlerts",
  tags: TAGS,
  summary: "List alerts, newest first",
  request: { query: closedQuery(alertQuery) },
  responses: {
    200: jsonAnswer("A page of alerts.", listOf("AlertList", alertSchema)),
    ...errorAnswers(),
  },
});

const getAlert = createRoute({
  method: "get",
  path: "/alerts/{id}",
  operationId: "getAlert",
  tags: TAGS,
  summary: "Get an alert, and how its deliveries go",
  request: { params: ID_PARAM, query: closedQuery({}) },
  responses: { 200: jsonAnswer("The alert.", alertDetailSchema), ...errorAnswers("not_found") },
});

const acknowledgeAlert = createRoute({
  method: "post",
  path: "/alerts/{id}/ack",
  operationId: "acknowledgeAlert",
  tags: TAGS,
  summary: "Acknowledge an alert: somebody has seen it",
  description: "Twice changes nothing and is no error.",
  request: { params: ID_PARAM, query: closedQuery({}), body: jsonBody(acknowledgement) },
  responses: {
    200: jsonAnswer("The alert.", alertDetailSchema),
    ...errorAnswers("not_found", ...BODY_CODES),
  },
});

const retryAlert = createRoute({
  method: "post",
  path: "/alerts/{id}/retry",
  operationId: "retryAlert",
  tags: TAGS,
  summary: "Send what was not delivered of an alert at once, also what was given up",
  request: { params: ID_PARAM, query: closedQuery({}), body: emptyBody },
  responses: {
    200: jsonAnswer("The alert.", alertDetailSchema),
    ...errorAnswers("not_found", ...BODY_CODES),
  },
});

export function registerAlerts(router: AdminRouter, deps: AlertDeps): void {
  const { store } = deps;

  router.openapi(listAlerts, async (context) => {
    const { state, rule, from, to, kind, severity, ...query } = context.req.valid("query");
    const ruleId = rule === undefined ? undefined : await findRuleId(deps, rule);
    if (ruleId === null) {
      const message = `There is no alert rule ${quoteInput(rule ?? "")}. See \`keyward alert-rules list\`.`;
      return refuseProblems(context, [{ param: "rule", message }]);
    }
    const page = await store.alerts.history.list(pageRequestOf(query), {
      ruleId,
      kind,
      severity,
      isAcknowledged: state === undefined ? undefined : state === "acknowledged",
      fromMs: from,
      toMs: to,
    });
    return context.json(listAnswer(page, formatAlert), 200);
  });

  router.openapi(getAlert, async (context) => {
    const record = await findAlert(deps, context.req.valid("param").id);
    if (!record) return refuse(context, "not_found", NOT_FOUND, "id");
    return context.json(await formatDetail(deps, record), 200);
  });

  router.openapi(acknowledgeAlert, async (context) => {
    const found = await findAlert(deps, context.req.valid("param").id);
    if (!found) return refuse(context, "not_found", NOT_FOUND, "id");
    const { note = null } = context.req.valid("json");
    const by = { atMs: deps.clock.nowMs(), actor: context.get("actor"), note };
    await store.alerts.history.acknowledge(found.id, by);
    const record = (await store.alerts.history.findById(found.id)) ?? found;
    return context.json(await formatDetail(deps, record), 200);
  });

  router.openapi(retryAlert, async (context) => {
    const found = await findAlert(deps, context.req.valid("param").id);
    if (!found) return refuse(context, "not_found", NOT_FOUND, "id");
    await store.alerts.deliveries.retry(found.messageId, deps.clock.nowMs());
    return context.json(await formatDetail(deps, found), 200);
  });
}

const NOT_FOUND = "There is no alert of this id.";

async function findAlert({ store }: Pick<AlertDeps, "store">, id: string) {
  return isId("alt", id) ? store.alerts.history.findById(id) : undefined;
}

/** A rule that is gone is still found by its id. */
async function findRuleId(
  { store }: Pick<AlertDeps, "store">,
  text: string,
): Promise<AlertRuleId | null> {
  if (isId("alr", text)) return text;
  return (await store.alerts.rules.findByName(text))?.id ?? null;
}

function formatAlert(record: AlertRecord): z.infer<typeof alertSchema> {
  const { key, acknowledgedAtMs } = record;
  return {
    id: record.id,
    ruleId: record.ruleId,
    rule: record.ruleName,
    kind: record.kind,
    severity: record.severity,
    state: acknowledgedAtMs === null ? "open" : "acknowledged",
    subject: { kind: key.kind, id: key.id },
    period: key.period,
    title: record.title,
    facts: record.facts.map(({ label, value }) => ({ label, value })),
    figures: figuresOf(record.facts),
    command: record.command,
    messageId: record.messageId,
    muteId: record.muteId,
    firedAt: formatInstant(record.createdAtMs),
    acknowledgedAt: formatOptionalInstant(acknowledgedAtMs),
    acknowledgedBy: record.acknowledgedBy,
    note: record.note,
  };
}

async function formatDetail(
  { store }: Pick<AlertDeps, "store">,
  record: AlertRecord,
): Promise<z.infer<typeof alertDetailSchema>> {
  const [deliveries, channels] = await Promise.all([
    store.alerts.deliveries.listOfMessage(record.messageId),
    store.alerts.channels.listAll(),
  ]);
  const names = new Map(channels.map(({ id, name }) => [id, name]));
  return {
    ...formatAlert(record),
    deliveries: deliveries.map((delivery) => ({
      ...formatDelivery(delivery),
      channel: names.get(delivery.channelId) ?? null,
    })),
  };
}

function formatDelivery(record: AlertDeliveryRecord) {
  const { deliveredAtMs, givenUpAtMs } = record;
  const state =
    deliveredAtMs !== null ? "delivered" : givenUpAtMs !== null ? "given_up" : "waiting";
  return {
    channelId: record.channelId,
    state,
    attempts: record.attempts,
    problem: record.problem,
    lastAttemptAt: formatOptionalInstant(record.lastAttemptAtMs),
    nextAttemptAt: state === "waiting" ? formatInstant(record.nextAttemptAtMs) : null,
    deliveredAt: formatOptionalInstant(deliveredAtMs),
  } as const;
}
