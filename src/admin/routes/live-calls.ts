import { createRoute, z } from "@hono/zod-openapi";
import { LIVE_STATUSES, type FeedItem, type FeedReader } from "../../telemetry/call-feed.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { errorAnswers, refuse, refuseProblems } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { formatInstant, formatOptionalInstant } from "../fields/instants.ts";
import {
  formatLiveCall,
  formatLiveLine,
  formatLiveRefusal,
  liveItemSchema,
  type LiveItem,
} from "./live-item-schema.ts";
import { resolveUsageFilter, usageScopeFields } from "./usage-filter.ts";

/** Shorter than the patience of proxies with a connection on which nothing comes. */
const LIVE_IDLE_MS = 10_000;
/** As long as any other revocation may take to arrive. */
const CHECKED_EVERY_MS = 1_000;
const MAX_UNCHECKED_MS = 10_000;
/** Items that are written in one piece. */
const MAX_BATCH = 64;

const watchCalls = createRoute({
  method: "get",
  path: "/live/calls",
  operationId: "watchCalls",
  tags: ["usage"],
  summary: "Stream calls as they end, as JSON lines",
  description: [
    `The stream begins with an item \`opened\` and has no end of its own; where nothing happens, an item \`idle\` comes every ${LIVE_IDLE_MS / 1000} seconds. It is ended within a second or so of the revocation or the end of the token or session that asked for it. What was before is in \`/usage/events\`.`,
    "A reader that does not keep up loses the oldest items and is told how many. The workers of one server (`--processes`) tell of each other's calls; every machine tells of its own only.",
  ].join("\n\n"),
  request: {
    query: closedQuery({
      ...usageScopeFields,
      status: z.enum(LIVE_STATUSES).optional(),
      problems: z.enum(["true", "false"]).optional().openapi({
        description: "`true`: only what did not succeed, refusals among it.",
      }),
    }),
  },
  responses: {
    200: {
      description: "One item a line, for as long as the connection lasts.",
      content: { "application/x-ndjson": { schema: liveItemSchema } },
    },
    ...errorAnswers("live_feed_unavailable"),
  },
});

type LiveDeps = Pick<AdminDeps, "store" | "callFeed" | "clock" | "serverInfo">;

export function registerLiveCalls(router: AdminRouter, deps: LiveDeps): void {
  router.openapi(watchCalls, async (context) => {
    const { status, problems, ...given } = context.req.valid("query");
    const resolved = await resolveUsageFilter(deps.store, given);
    if ("problems" in resolved) return refuseProblems(context, resolved.problems);
    const { environmentId, projectId, gatewayKeyId, customer, feature, model } = resolved.filter;
    const reader = deps.callFeed?.subscribe({
      environmentId,
      projectId,
      gatewayKeyId,
      customer,
      feature,
      model,
      status,
      isProblem: problems === "true" ? true : undefined,
    });
    if (reader === undefined) {
      const message =
        deps.callFeed === undefined
          ? "Live calls are told by a server that runs; there is none in this process."
          : "As many readers as may read live calls already, or the server is stopping. Close one of them, or try again.";
      return refuse(context, "live_feed_unavailable", message);
    }
    // At once, and not when the next item fails to be written: the place is free for another reader.
    const { signal } = context.req.raw;
    const close = closeWhenRefused(reader, context.get("isStillAllowed"));
    signal.addEventListener("abort", close, { once: true });
    context.header("content-type", "application/x-ndjson");
    // Read by nginx and those that do as it does: items are not kept back until a buffer is full.
    context.header("x-accel-buffering", "no");
    const lines = ReadableStream.from(writeItems(deps, reader, close));
    // The router's types know JSON and text; to them there is no answer of lines.
    return context.body(lines, 200) as never;
  });
}

/**
 * Returns what ends the stream, and ends it when the token or the session is revoked or over, or its member may not see calls
 * any more; also when that could not be looked at for a while: a store that is away must not let anybody see more than one that
 * is there.
 */
function closeWhenRefused(reader: FeedReader, isStillAllowed: () => Promise<boolean>): () => void {
  let checkedAtMs = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const close = () => {
    clearTimeout(timer);
    timer = undefined;
    reader.close();
  };
  const check = async () => {
    try {
      if (!(await isStillAllowed())) return close();
      checkedAtMs = performance.now();
    } catch {
      // The store does not answer, which others tell of. Asked again until it has been too long.
      if (performance.now() - checkedAtMs >= MAX_UNCHECKED_MS) return close();
    }
    // Refreshing one that was cleared would start it again.
    if (timer !== undefined) timer.refresh();
  };
  timer = setTimeout(() => void check(), CHECKED_EVERY_MS);
  return close;
}

/** The reader asks for the next piece when it has taken the last one; until then items wait in the feed, and give way. */
async function* writeItems(
  deps: LiveDeps,
  reader: FeedReader,
  close: () => void,
): AsyncGenerator<Uint8Array> {
  const { clock, serverInfo } = deps;
  try {
    const serverStartedAt = formatOptionalInstant(serverInfo.startedAtMs);
    yield encode({ kind: "opened", time: formatInstant(clock.nowMs()), serverStartedAt });
    for (;;) {
      let text = "";
      let item = await reader.next(LIVE_IDLE_MS);
      for (let count = 1; ; count += 1) {
        if (item === "closed") break;
        text += formatLiveLine(formatItem(item, clock));
        if (count === MAX_BATCH || reader.waiting === 0) break;
        item = await reader.next(0);
      }
      if (text !== "") yield ENCODER.encode(text);
      if (item === "closed") return;
    }
  } finally {
    close();
  }
}

function formatItem(item: FeedItem | "idle", clock: AdminDeps["clock"]): LiveItem {
  if (item === "idle") return { kind: "idle", time: formatInstant(clock.nowMs()) };
  if (item.kind === "call") return formatLiveCall(item.report);
  return item.kind === "refusal" ? formatLiveRefusal(item.report) : item;
}

const ENCODER = new TextEncoder();

function encode(item: LiveItem): Uint8Array {
  return ENCODER.encode(formatLiveLine(item));
}
