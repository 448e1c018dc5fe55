import type { PendingProblem } from "../../core/usage/deferred-usage.ts";
import { NO_QUANTITIES } from "../../core/usage/quantities.ts";
import type { UsageEvent, UsageReport } from "../../core/usage/usage-event.ts";
import type { ProviderRoute, Snapshot } from "../../proxy/snapshot.ts";
import type { PendingUsageRecord } from "../../store/records.ts";
import { findOperation } from "../../wire/find-operation.ts";
import { readObject } from "../../wire/json/read-object.ts";
import { readBatchSummary, type BatchSummary } from "../../wire/openai/batches.ts";
import { isObjectId, reportOf } from "../../wire/openai/deferred-work.ts";
import type { JsonObject } from "../../wire/openai/operation.ts";
import { askProvider, type AskDeps, type ProviderAnswer } from "./ask-provider.ts";
import { readBatchOutput } from "./read-batch-output.ts";

export interface FindUsageDeps extends AskDeps {
  readonly snapshot: Pick<Snapshot, "routingOf">;
}

/** One charge of ended work: of a batch, one for each of its answers. */
export interface Charge extends UsageReport {
  /** The provider's id of the answer, where it has one of its own. */
  readonly responseId: string | null;
}

export type Finding =
  | { readonly kind: "ended"; readonly charges: readonly [Charge, ...Charge[]] }
  | {
      readonly kind: "waiting";
      readonly problem: PendingProblem;
      readonly retryAfterMs: number | undefined;
      readonly cause?: unknown;
    };

const BATCH_TIER = "batch";
/** An object is small. */
const MAX_OBJECT_MS = 30_000;
/** Of a batch's output, which comes by the hundred megabytes; one that never ends would hold up all batches. */
const MAX_FILE_MS = 15 * 60_000;

/**
 * Asks the provider what has become of work, with a key of the environment and the account that began it: the same key
 * where it is there, else another one of that account.
 */
export async function findUsage(
  deps: FindUsageDeps,
  record: PendingUsageRecord,
  signal: AbortSignal,
): Promise<Finding> {
  const { work, event } = record;
  const { routes } = await deps.snapshot.routingOf(event.environmentId);
  const ways = waysOf(routes, event);
  if (ways.length === 0) return waiting("no_provider_key");
  const operation = findOperation("GET", `/v1${work.path}`);
  const within = AbortSignal.any([signal, AbortSignal.timeout(MAX_OBJECT_MS)]);
  const asked = await askEach(ways, (route) =>
    askProvider(deps, { route, path: work.path, signal: within }, (body) =>
      readObject(body, {
        fields: operation.responseFields,
        maxFieldBytes: operation.maxFieldBytes,
      }),
    ),
  );
  if (asked.answer.kind !== "read") return explain(asked.answer);
  const facts = operation.readResponse(asked.answer.value);
  const { deferred } = facts;
  if (deferred === null || deferred.work.objectId !== work.objectId) return waiting("unreadable");
  if (deferred.ending === null) return waiting("not_finished");
  if (work.kind === "batch") {
    const source = { ...asked, body: asked.answer.value, ending: deferred.ending };
    return await findBatchUsage(deps, source, signal);
  }
  return { kind: "ended", charges: [{ ...reportOf(facts, deferred.ending), responseId: null }] };
}

/** The key that made the call first; then, for a key that is gone or is refused, the others of its account. */
function waysOf(
  routes: readonly ProviderRoute[],
  { providerAccountId, providerKeyId }: UsageEvent,
): readonly ProviderRoute[] {
  const ways = routes.filter(({ accountId }) => accountId === providerAccountId);
  return ways.toSorted(
    (a, b) => Number(b.keyId === providerKeyId) - Number(a.keyId === providerKeyId),
  );
}

interface Asked<Value> {
  readonly route: ProviderRoute;
  readonly answer: ProviderAnswer<Value>;
}

async function askEach<Value>(
  ways: readonly ProviderRoute[],
  ask: (route: ProviderRoute) => Promise<ProviderAnswer<Value>>,
): Promise<Asked<Value>> {
  let first: Asked<Value> | undefined;
  for (const route of ways) {
    const asked = { route, answer: await ask(route) };
    if (!isKeysOwn(asked.answer)) return asked;
    first ??= asked;
  }
  if (first === undefined) throw new Error("there is no way to ask by");
  return first;
}

/** Whether another key of the account may be told something else: keys can be limited to what they may see. */
function isKeysOwn(answer: ProviderAnswer<unknown>): boolean {
  return answer.kind === "refused" && [401, 403, 404].includes(answer.status);
}

function explain(answer: Exclude<ProviderAnswer<unknown>, { kind: "read" }>): Finding {
  if (answer.kind === "unreachable") return { ...waiting("unreachable"), cause: answer.cause };
  if (answer.kind === "unreadable") return waiting("unreadable");
  const { status, retryAfterMs } = answer;
  if (status === 401 || status === 403) return waiting("key_refused", retryAfterMs);
  if (status === 404 || status === 410) return waiting("not_found", retryAfterMs);
  if (status === 429) return waiting("rate_limited", retryAfterMs);
  return waiting("provider_failed", retryAfterMs);
}

function waiting(problem: PendingProblem, retryAfterMs?: number) {
  return { kind: "waiting", problem, retryAfterMs } as const;
}

interface EndedBatch {
  readonly route: ProviderRoute;
  readonly body: JsonObject;
  readonly ending: UsageReport["status"];
}

/**
 * What a batch's answers have consumed, by its output file. Where that is gone, the sum that the batch itself reports
 * stands in for it, as an estimate: it tells neither what tools were called nor which answer was how long.
 */
async function findBatchUsage(
  deps: FindUsageDeps,
  { route, body, ending }: EndedBatch,
  signal: AbortSignal,
): Promise<Finding> {
  const summary = readBatchSummary(body);
  const operation = findOperation("POST", summary.endpoint ?? "");
  const nothing = { ...reportedBy(summary, ending), responseId: null };
  if (!operation.charges || !mayHaveOutput(summary)) {
    return ended([{ ...nothing, usageSource: "none", quantities: NO_QUANTITIES }]);
  }
  if (!isObjectId(summary.outputFileId)) return ended([nothing]);
  const path = `/files/${summary.outputFileId}/content`;
  const within = AbortSignal.any([signal, AbortSignal.timeout(MAX_FILE_MS)]);
  const answer = await askProvider(deps, { route, path, signal: within }, (file) =>
    readBatchOutput(file, operation),
  );
  if (answer.kind === "refused" && (answer.status === 404 || answer.status === 410)) {
    return ended([nothing]);
  }
  if (answer.kind !== "read") return explain(answer);
  const charges = answer.value.answers.map((facts): Charge => {
    const report = reportOf(facts, "succeeded");
    return { ...report, serviceTier: BATCH_TIER, responseId: facts.responseId };
  });
  return ended(
    charges.length > 0 ? charges : [{ ...nothing, usageSource: "none", quantities: NO_QUANTITIES }],
  );
}

function ended(charges: readonly Charge[]): Finding {
  return { kind: "ended", charges: charges as readonly [Charge, ...Charge[]] };
}

function mayHaveOutput({ outputFileId, completedRequests }: BatchSummary): boolean {
  return outputFileId !== null || (completedRequests ?? 0) > 0;
}

function reportedBy(summary: BatchSummary, ending: UsageReport["status"]): UsageReport {
  const { quantities, model } = summary;
  return {
    status: ending,
    usageSource: quantities === null ? "unknown" : "estimated",
    quantities: quantities ?? NO_QUANTITIES,
    variant: null,
    servedModel: model,
    serviceTier: BATCH_TIER,
  };
}
