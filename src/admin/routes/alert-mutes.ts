import { createRoute, type z } from "@hono/zod-openapi";
import { type AlertRuleId, isId } from "../../core/ids/ids.ts";
import type { AlertMuteRecord, AlertSubject } from "../../store/alert-records.ts";
import { MAX_ALERT_MUTES } from "../../store/alert-repositories.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { resolveMutedSubject } from "../alert-mute-intake.ts";
import { emptyBody, jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse, refuseProblems } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { formatInstant, formatOptionalInstant } from "../fields/instants.ts";
import { idParam } from "../fields/names.ts";
import { listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import { quoteInput } from "../fields/quote-input.ts";
import { NameLookup } from "../name-lookup.ts";
import { nameOfSubject } from "../scopes.ts";
import { muteInput, muteSchema, newMuteSchema } from "./alert-schemas.ts";

const TAGS = ["alerts"];

const listMutes = createRoute({
  method: "get",
  path: "/alerts/mutes",
  operationId: "listAlertMutes",
  tags: TAGS,
  summary: "List mutes, newest first",
  request: { query: closedQuery(pagingFields) },
  responses: {
    200: jsonAnswer("A page of mutes.", listOf("AlertMuteList", muteSchema)),
    ...errorAnswers(),
  },
});

const createMute = createRoute({
  method: "post",
  path: "/alerts/mutes",
  operationId: "createAlertMute",
  tags: TAGS,
  summary: "Send no alerts of a rule, or about something, until a time",
  description:
    "Without a rule: of every rule; without a subject: about whatever; without both only with `everything`, and for 30 days at most. What fires meanwhile is in the history and is not sent later.",
  request: { query: closedQuery({}), body: jsonBody(muteInput) },
  responses: {
    201: jsonAnswer("The mute.", newMuteSchema),
    ...errorAnswers("conflict", ...BODY_CODES),
  },
});

const endMute = createRoute({
  method: "post",
  path: "/alerts/mutes/{id}/end",
  operationId: "endAlertMute",
  tags: TAGS,
  summary: "End a mute before its time",
  description: "One that has ended already stays as it is.",
  request: {
    params: idParam("mut_01JZ6Y4V2S8W3N5R7T9X0B1C2D"),
    query: closedQuery({}),
    body: emptyBody,
  },
  responses: {
    200: jsonAnswer("The mute.", muteSchema),
    ...errorAnswers("not_found", ...BODY_CODES),
  },
});

/** Before the routes of `/alerts/{id}`, which would take `mutes` for an id. */
export function registerAlertMutes(
  router: AdminRouter,
  { store, ids, clock }: Pick<AdminDeps, "store" | "ids" | "clock">,
): void {
  router.openapi(listMutes, async (context) => {
    const page = await store.alerts.mutes.list(pageRequestOf(context.req.valid("query")));
    const data = [...(await formatMutes({ store, clock }, page.rows))];
    return context.json({ data, nextCursor: page.nextCursor }, 200);
  });

  router.openapi(createMute, async (context) => {
    const { rule, subject, everything, until, reason = null } = context.req.valid("json");
    const nowMs = clock.nowMs();
    if (everything === true ? (rule ?? subject) !== undefined : (rule ?? subject) === undefined) {
      return refuseProblems(context, [{ param: "everything", message: WHAT_IS_MUTED }]);
    }
    const found =
      rule === undefined
        ? undefined
        : await (isId("alr", rule)
            ? store.alerts.rules.findById(rule)
            : store.alerts.rules.findByName(rule));
    if (rule !== undefined && found === undefined) {
      const message = `There is no alert rule ${quoteInput(rule)}. See \`keyward alert-rules list\`.`;
      return refuseProblems(context, [{ param: "rule", message }]);
    }
    const problem = problemOfUntil(until, { nowMs, isEverything: everything === true });
    if (problem !== undefined) {
      return refuseProblems(context, [{ param: "until", message: problem }]);
    }
    const resolved =
      subject === undefined ? undefined : await resolveMutedSubject(store, subject, nowMs);
    if (resolved !== undefined && "problems" in resolved) {
      return refuseProblems(context, resolved.problems);
    }
    if ((await store.alerts.mutes.listActive(nowMs)).length >= MAX_ALERT_MUTES) {
      return refuse(context, "conflict", TOO_MANY);
    }
    const record: AlertMuteRecord = {
      id: ids.create("mut"),
      ruleId: found?.id ?? null,
      subject: resolved?.subject ?? null,
      untilMs: until,
      reason,
      createdBy: context.get("actor"),
      createdAtMs: nowMs,
      endedAtMs: null,
    };
    await store.alerts.mutes.insert(record);
    return context.json(
      { ...(await formatOne({ store, clock }, record)), warning: resolved?.warning ?? null },
      201,
    );
  });

  router.openapi(endMute, async (context) => {
    const { id } = context.req.valid("param");
    if (isId("mut", id)) await store.alerts.mutes.end(id, clock.nowMs());
    const record = isId("mut", id) ? await store.alerts.mutes.findById(id) : undefined;
    if (record === undefined) return refuse(context, "not_found", NOT_FOUND, "id");
    return context.json(await formatOne({ store, clock }, record), 200);
  });
}

const WHAT_IS_MUTED =
  "A mute names a `rule` or a `subject`, or says `everything`, which mutes every alert; not both.";
const DAY_MS = 86_400_000;
const MAX_DAYS_OF_EVERYTHING = 30;
const MAX_DAYS = 366;
const NOT_FOUND = "There is no mute of this id.";
const TOO_MANY = `There are ${MAX_ALERT_MUTES} mutes that hold, which is as many as there can be. End one first.`;

/** Undefined where it may be so. */
function problemOfUntil(
  until: number,
  { nowMs, isEverything }: { readonly nowMs: number; readonly isEverything: boolean },
): string | undefined {
  if (until <= nowMs) return "`until` must be a time that is still to come.";
  const days = isEverything ? MAX_DAYS_OF_EVERYTHING : MAX_DAYS;
  if (until - nowMs <= days * DAY_MS) return undefined;
  const latest = formatInstant(nowMs + days * DAY_MS);
  const what = isEverything ? "everything" : "a rule or a subject";
  return `\`until\` must not be after ${latest}: ${what} is muted for ${days} days at most, so that a mute which was forgotten ends. Mute it again then, or disable the rules.`;
}

type FormatDeps = Pick<AdminDeps, "store" | "clock">;

async function formatMutes(
  { store, clock }: FormatDeps,
  records: readonly AlertMuteRecord[],
): Promise<readonly MuteAnswer[]> {
  const rules = await store.alerts.rules.listAll();
  const ruleNames = new Map(rules.map(({ id, name }) => [id, name]));
  const names = new NameLookup(store);
  const nowMs = clock.nowMs();
  return await Promise.all(
    records.map((record) => formatMute(record, { ruleNames, names, nowMs })),
  );
}

async function formatOne(deps: FormatDeps, record: AlertMuteRecord): Promise<MuteAnswer> {
  const [answer] = await formatMutes(deps, [record]);
  if (answer === undefined) throw new Error("one mute has one answer");
  return answer;
}

async function nameOf(names: NameLookup, { kind, id }: AlertSubject): Promise<string | null> {
  if (kind === "providerKey") return isId("pky", id) ? await names.providerKey(id) : null;
  if (kind === "adminToken" || kind === "model") return null;
  return await nameOfSubject(names, kind, id);
}

type MuteAnswer = z.infer<typeof muteSchema>;

async function formatMute(
  record: AlertMuteRecord,
  {
    ruleNames,
    names,
    nowMs,
  }: {
    readonly ruleNames: ReadonlyMap<AlertRuleId, string>;
    readonly names: NameLookup;
    readonly nowMs: number;
  },
): Promise<MuteAnswer> {
  const { id, ruleId, subject, untilMs, reason, createdBy, createdAtMs, endedAtMs } = record;
  return {
    id,
    ruleId,
    rule: ruleId === null ? null : (ruleNames.get(ruleId) ?? null),
    subject: subject === null ? null : { kind: subject.kind, id: subject.id },
    subjectName: subject === null ? null : await nameOf(names, subject),
    isActive: endedAtMs === null && untilMs > nowMs,
    until: formatInstant(untilMs),
    reason,
    createdBy,
    createdAt: formatInstant(createdAtMs),
    endedAt: formatOptionalInstant(endedAtMs),
  };
}
