import { createRoute, type z } from "@hono/zod-openapi";
import type { AlertMessage } from "../../alerts/alert-message.ts";
import { isId } from "../../core/ids/ids.ts";
import type { AlertChannelRecord } from "../../store/alert-records.ts";
import { MAX_ALERT_CHANNELS } from "../../store/alert-repositories.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { createChannel } from "../alert-channel-intake.ts";
import { emptyBody, jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse, refuseProblems } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { formatInstant, formatOptionalInstant } from "../fields/instants.ts";
import { idParam } from "../fields/names.ts";
import { listOf } from "../fields/paging.ts";
import { uniqueViolationOf } from "../unique-violation.ts";
import {
  channelChange,
  channelInput,
  channelSchema,
  newChannelSchema,
  testResultSchema,
} from "./alert-channel-schemas.ts";

type ChannelDeps = Pick<
  AdminDeps,
  "store" | "vault" | "ids" | "clock" | "randomBytes" | "allowedHosts" | "sendAlert"
>;

const TAGS = ["alerts"];
const ID_PARAM = idParam("ach_01JZ6Y4V2S8W3N5R7T9X0B1C2D");

const listChannels = createRoute({
  method: "get",
  path: "/alert-channels",
  operationId: "listAlertChannels",
  tags: TAGS,
  summary: "List alert channels, oldest first",
  description: "All of them on one page.",
  request: { query: closedQuery({}) },
  responses: {
    200: jsonAnswer("The channels.", listOf("AlertChannelList", channelSchema)),
    ...errorAnswers(),
  },
});

const createChannelRoute = createRoute({
  method: "post",
  path: "/alert-channels",
  operationId: "createAlertChannel",
  tags: TAGS,
  summary: "Add a channel that alerts are sent to",
  request: { query: closedQuery({}), body: jsonBody(channelInput) },
  responses: {
    201: jsonAnswer("The channel.", newChannelSchema),
    ...errorAnswers("conflict", ...BODY_CODES),
  },
});

const getChannel = createRoute({
  method: "get",
  path: "/alert-channels/{id}",
  operationId: "getAlertChannel",
  tags: TAGS,
  summary: "Get an alert channel",
  request: { params: ID_PARAM, query: closedQuery({}) },
  responses: { 200: jsonAnswer("The channel.", channelSchema), ...errorAnswers("not_found") },
});

const updateChannel = createRoute({
  method: "patch",
  path: "/alert-channels/{id}",
  operationId: "updateAlertChannel",
  tags: TAGS,
  summary: "Change an alert channel",
  description: "A field that is absent stays as it is. For another URL add another channel.",
  request: { params: ID_PARAM, query: closedQuery({}), body: jsonBody(channelChange) },
  responses: {
    200: jsonAnswer("The channel, changed.", channelSchema),
    ...errorAnswers("not_found", "conflict", ...BODY_CODES),
  },
});

const removeChannel = createRoute({
  method: "delete",
  path: "/alert-channels/{id}",
  operationId: "removeAlertChannel",
  tags: TAGS,
  summary: "Remove an alert channel, with what waits for it",
  request: { params: ID_PARAM, query: closedQuery({}) },
  responses: {
    200: jsonAnswer("The channel as it was.", channelSchema),
    ...errorAnswers("not_found"),
  },
});

const testChannel = createRoute({
  method: "post",
  path: "/alert-channels/{id}/test",
  operationId: "testAlertChannel",
  tags: TAGS,
  summary: "Send a test alert through a channel, now",
  description:
    "Also through one that is off. It is tried once and is not in the history; how it went is what the channel says of its last attempt.",
  request: { params: ID_PARAM, query: closedQuery({}), body: emptyBody },
  responses: {
    200: jsonAnswer("How it went.", testResultSchema),
    ...errorAnswers("not_found", ...BODY_CODES),
  },
});

export function registerAlertChannels(router: AdminRouter, deps: ChannelDeps): void {
  const { store } = deps;

  router.openapi(listChannels, async (context) => {
    const [records, format] = await Promise.all([
      store.alerts.channels.listAll(),
      channelFormatter(deps),
    ]);
    return context.json({ data: records.map(format), nextCursor: null }, 200);
  });

  router.openapi(createChannelRoute, async (context) => {
    const input = context.req.valid("json");
    if ((await store.alerts.channels.listAll()).length >= MAX_ALERT_CHANNELS) {
      return refuse(context, "conflict", TOO_MANY);
    }
    const made = await createChannel(deps, input);
    if ("problems" in made) return refuseProblems(context, made.problems);
    const taken = await uniqueViolationOf(store.alerts.channels.insert(made.record));
    if (taken) return refuse(context, "conflict", TAKEN, "name");
    const answer = (await channelFormatter(deps))(made.record);
    return context.json({ ...answer, signingSecret: made.signingSecret }, 201);
  });

  router.openapi(getChannel, async (context) => {
    const record = await findChannel(deps, context.req.valid("param").id);
    if (!record) return refuse(context, "not_found", NOT_FOUND, "id");
    return context.json((await channelFormatter(deps))(record), 200);
  });

  router.openapi(updateChannel, async (context) => {
    const found = await findChannel(deps, context.req.valid("param").id);
    if (!found) return refuse(context, "not_found", NOT_FOUND, "id");
    const { name, isEnabled, sender, recipients } = context.req.valid("json");
    if (found.kind !== "email" && (sender !== undefined || recipients !== undefined)) {
      const param = sender === undefined ? "recipients" : "sender";
      const message = `A channel of kind \`${found.kind}\` has no \`${param}\`.`;
      return refuseProblems(context, [{ param, message }]);
    }
    const record: AlertChannelRecord = {
      ...found,
      name: name ?? found.name,
      isEnabled: isEnabled ?? found.isEnabled,
      sender: sender ?? found.sender,
      recipients: recipients ?? found.recipients,
    };
    const taken = await uniqueViolationOf(store.alerts.channels.update(record));
    if (taken) return refuse(context, "conflict", TAKEN, "name");
    return context.json((await channelFormatter(deps))(record), 200);
  });

  router.openapi(removeChannel, async (context) => {
    const found = await findChannel(deps, context.req.valid("param").id);
    if (!found) return refuse(context, "not_found", NOT_FOUND, "id");
    const answer = (await channelFormatter(deps))(found);
    await store.alerts.channels.remove(found.id);
    return context.json(answer, 200);
  });

  router.openapi(testChannel, async (context) => {
    const found = await findChannel(deps, context.req.valid("param").id);
    if (!found) return refuse(context, "not_found", NOT_FOUND, "id");
    const outcome = await deps.sendAlert(found, testMessage(deps), context.req.raw.signal);
    const problem = outcome.kind === "failed" ? outcome.problem : null;
    await store.alerts.channels.noteAttempt(found.id, { atMs: deps.clock.nowMs(), problem });
    await deps.store.note({
      action: "alertChannel.tested",
      target: { kind: "alertChannel", id: found.id, name: found.name },
      environmentId: null,
      before: null,
      after: JSON.stringify({ isDelivered: problem === null }),
    });
    const { isEnabled } = found;
    return context.json({ isDelivered: problem === null, problem, isEnabled }, 200);
  });
}

const NOT_FOUND = "There is no alert channel of this id or name.";
const TAKEN = "There is an alert channel of this name already.";
const TOO_MANY = `There are ${MAX_ALERT_CHANNELS} alert channels, which is as many as there can be. Remove one first.`;

function findChannel({ store }: Pick<ChannelDeps, "store">, text: string) {
  const { channels } = store.alerts;
  return isId("ach", text) ? channels.findById(text) : channels.findByName(text);
}

function testMessage({ ids, clock }: Pick<ChannelDeps, "ids" | "clock">): AlertMessage {
  return {
    id: ids.create("msg"),
    type: "alert.test",
    rule: null,
    total: 1,
    alerts: [
      {
        id: ids.create("alt"),
        severity: "info",
        title: "This is a test: alerts of Keyward arrive here",
        facts: [{ label: "nothing happened", value: "somebody asked for this test" }],
        command: "keyward alert-rules list",
        figures: {},
        subject: { kind: "organization", id: "", name: "" },
        firedAtMs: clock.nowMs(),
      },
    ],
  };
}

async function channelFormatter({ store }: Pick<ChannelDeps, "store">) {
  const troubles = await store.alerts.deliveries.countTroubles();
  const byChannel = new Map(troubles.map((one) => [one.channelId, one]));
  return (record: AlertChannelRecord): z.infer<typeof channelSchema> => ({
    id: record.id,
    name: record.name,
    kind: record.kind,
    preview: record.preview,
    sender: record.sender,
    recipients: [...record.recipients],
    isEnabled: record.isEnabled,
    lastDeliveredAt: formatOptionalInstant(record.lastDeliveredAtMs),
    lastFailedAt: formatOptionalInstant(record.lastFailedAtMs),
    lastProblem: record.lastProblem,
    waiting: byChannel.get(record.id)?.waiting ?? 0,
    givenUp: byChannel.get(record.id)?.givenUp ?? 0,
    createdAt: formatInstant(record.createdAtMs),
  });
}
