import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { KeywardError } from "../../core/errors/keyward-error.ts";
import { ReportThrottle } from "../../core/leaks/report-throttle.ts";
import { siteOf } from "../../core/network/network-of.ts";
import { counted } from "../../core/text/counted.ts";
import type { AdminDeps, AdminEnv } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse } from "../answers/refusal.ts";
import { callerAddress } from "../caller-address.ts";
import { createFairTurns } from "../fair-turns.ts";
import { closedObject, closedQuery } from "../fields/closed-object.ts";
import { listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import { findLeakStanding } from "../leak-standing.ts";
import { NameLookup } from "../name-lookup.ts";
import { type LeakReport, type ReportDeps, reportLeaks } from "../report-leaks.ts";
import { formatLeak, leakSchema } from "./leak-answers.ts";

type LeakDeps = ReportDeps & Pick<AdminDeps, "clientAddressOf">;

const TAGS = ["leaks"];
const MAX_REPORTS = 100;
/** Longer than any key, shorter than what would be work to hash. */
const MAX_KEY_CHARACTERS = 4096;
/**
 * An answer leaves at a multiple of this after its request came, so that nobody can tell from the time what was done. The look-ups are
 * the same for every secret, but a hit also writes, in a transaction that is synced to disk: some ms more than a miss. To act after the
 * answer would hide that as well, and would say "taken" of a report that may still be lost with the process; so what was taken is
 * done, and the answer waits. Nobody is in a hurry here, and what waits holds nothing.
 */
const ANSWER_STEP_MS = 200;

const keyField = z.string().min(1).max(MAX_KEY_CHARACTERS).openapi({
  description: "What was found. It may stand in a line of text: in quotes, or behind a name.",
  example: "<a key>",
});
const urlField = z.string().max(2048).optional().openapi({
  description: "Where. Kept without its query and fragment.",
  example: "https://example.com/some/repository/config.js",
});
const sourceField = z.string().max(256).optional().openapi({
  description: "What found it, or in what.",
  example: "commit",
});

const found = { url: urlField, source: sourceField };
const reportInput = closedObject({
  key: keyField.optional(),
  ...found,
  leaks: z
    .array(closedObject({ key: keyField, ...found }).openapi("FoundKey"))
    .min(1)
    .max(MAX_REPORTS)
    .optional()
    .openapi({ description: "Several at once, in place of `key`." }),
})
  .refine(({ key, leaks }) => (key === undefined) !== (leaks === undefined), {
    message: "must have either `key` or `leaks`",
  })
  .openapi("LeakReport");

/** Open: what GitHub adds to it some day must not keep reports from coming. */
const githubInput = z
  .array(
    z.object({
      token: keyField,
      type: z.string().max(256).optional(),
      url: urlField,
      source: sourceField,
    }),
  )
  .min(1)
  .max(MAX_REPORTS)
  .openapi("GithubLeakReport");

const receivedSchema = z
  .object({
    received: z.number().openapi({
      type: "integer",
      description: "How many reports were taken. Says nothing of whether a key is one of ours.",
    }),
  })
  .openapi("LeaksReceived");

const accepted = (description: string) => ({
  202: jsonAnswer(description, receivedSchema),
  ...errorAnswers("leak_reports_throttled", ...BODY_CODES),
});

const report = createRoute({
  method: "post",
  path: "/leaks",
  operationId: "reportLeaks",
  tags: TAGS,
  summary: "Report a key that you have found, or up to a hundred",
  description:
    "For whoever finds a key: it needs no token. The answer is the same whether the key is one of this installation or not. A gateway key is revoked or told of, as its environment's policy `leaked_keys` says; an admin token is revoked, a session (the value of its cookie) ended, an invitation or a link for a new password revoked; of a provider's secret (a key's, one from before its last rotation, an account's admin key) the owner is told. What was reported is neither kept nor logged.",
  security: [],
  request: { query: closedQuery({}), body: jsonBody(reportInput) },
  responses: accepted("The report was taken."),
});

const reportGithub = createRoute({
  method: "post",
  path: "/leaks/github",
  operationId: "reportGithubLeaks",
  tags: TAGS,
  summary: "The same in the shape that GitHub's secret scanning sends",
  description:
    "An array of `{token, type, url, source}`. The signature is not looked at: a report by anybody counts as much.",
  security: [],
  request: { query: closedQuery({}), body: jsonBody(githubInput) },
  responses: accepted("The reports were taken."),
});

const list = createRoute({
  method: "get",
  path: "/leaks",
  operationId: "listLeaks",
  tags: TAGS,
  summary: "List keys, tokens, sessions and links of ours that were reported, newest first",
  request: { query: closedQuery(pagingFields) },
  responses: {
    200: jsonAnswer("A page of them.", listOf("LeakList", leakSchema)),
    ...errorAnswers(),
  },
});

export function registerLeaks(router: AdminRouter, deps: LeakDeps): void {
  const throttle = new ReportThrottle();
  // One report at a time: a hundred keys are some tenths of a second of one transaction, and whatever else writes waits for
  // the report that is looked at, and not for all that strangers send at once.
  const inTurn = createFairTurns();

  const take = async (context: Context<AdminEnv>, reports: readonly LeakReport[]) => {
    const startedMs = performance.now();
    const address = callerAddress(deps, context);
    const waitMs = throttle.take(address, reports.length, deps.clock.nowMs());
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000);
      context.header("retry-after", String(seconds));
      const message = `Too many reports. None of these was looked at: send them again in ${counted(seconds, "second")}.`;
      return refuse(context, "leak_reports_throttled", message);
    }
    try {
      const requestId = context.get("requestId");
      // By the site: whoever has many networks has one turn, and an honest report waits for one report of each.
      const site = address === null ? "" : siteOf(address);
      await inTurn(site, () => reportLeaks(deps, reports, { address, requestId }));
    } catch (cause) {
      const message =
        "The report could not be acted upon, because the database does not answer. Nothing was done: send it again shortly.";
      throw new KeywardError("store_unavailable", message, { cause });
    } finally {
      // Faults as well: one that only a hit can bring about would tell.
      await nextStep(startedMs);
    }
    return context.json({ received: reports.length }, 202);
  };

  router.openapi(report, async (context) => {
    const { key, url, source, leaks } = context.req.valid("json");
    const given = leaks ?? (key === undefined ? [] : [{ key, url, source }]);
    return await take(
      context,
      given.map((one) => ({ ...one, secret: one.key })),
    );
  });

  router.openapi(reportGithub, async (context) => {
    const given = context.req.valid("json");
    return await take(
      context,
      given.map((one) => ({ ...one, secret: one.token })),
    );
  });

  router.openapi(list, async (context) => {
    const page = await deps.store.exposure.leaks.list(pageRequestOf(context.req.valid("query")));
    const names = new NameLookup(deps.store);
    const nowMs = deps.clock.nowMs();
    const data = await Promise.all(
      page.rows.map(async (record) =>
        formatLeak(names, record, await findLeakStanding(deps.store, record, nowMs)),
      ),
    );
    return context.json({ data, nextCursor: page.nextCursor }, 200);
  });
}

function nextStep(startedMs: number): Promise<void> {
  const elapsedMs = performance.now() - startedMs;
  const waitMs = ANSWER_STEP_MS - (elapsedMs % ANSWER_STEP_MS);
  return new Promise((resolve) => {
    setTimeout(resolve, waitMs);
  });
}
