import { type CallBound, withOutputLimit } from "../../core/budgets/call-bound.ts";
import {
  affordableOutput,
  type BoundWay,
  worstCaseOf,
  type WorstCaseDeps,
} from "../../core/budgets/worst-case.ts";
import { exactPicos, type LeanPicos } from "../../core/money/lean-picos.ts";
import { formatUsd, picos } from "../../core/money/picos.ts";
import type {
  HeldWindow,
  HeldWindows,
  HoldAnswer,
  HoldBook,
  TightBudget,
} from "../../ledger/holds.ts";
import { readCallBound } from "../../wire/bounds/read-call-bound.ts";
import { readOutputLimit } from "../../wire/bounds/read-token-bound.ts";
import type { Operation } from "../../wire/openai/operation.ts";
import { requestedModel, scopedCall, sentModel, type Call, type Refusal } from "../call.ts";
import type { ProviderRoute } from "../snapshot.ts";

export interface HoldDeps {
  readonly holds: Pick<HoldBook, "windowsOf" | "place">;
  readonly worstCase: WorstCaseDeps;
}

/**
 * Sets aside what the provider call may cost at worst, in every hard budget that counts it. Each attempt has a hold of
 * its own: the account, and with it the price, may be another one.
 */
export function hold(
  deps: HoldDeps,
  call: Call,
): Refusal | undefined | Promise<Refusal | undefined> {
  call.hold = undefined;
  call.outputLimit = capOf(call);
  const windows = deps.holds.windowsOf(
    scopedCall(call),
    requestedModel(call),
    call.attemptStartedAtMs,
  );
  return windows.length === 0 ? undefined : holdAgainst(deps, call, windows);
}

function holdAgainst(
  deps: HoldDeps,
  call: Call,
  windows: HeldWindows,
): Refusal | undefined | Promise<Refusal | undefined> {
  const bounded = { bound: withCap(boundOf(call), call), way: wayOf(call), windows };
  const amount = worstCost(deps, call, bounded);
  if (typeof amount === "object") return amount;
  const answer = deps.holds.place(windows, amount);
  if (answer instanceof Promise) return takeLate(deps, call, bounded, { amount, answer });
  if (answer.kind !== "held") return take(deps, call, { ...bounded, amount, answer });
  call.hold = answer;
  return undefined;
}

/** Apart, so that a call that is answered at once pays nothing for it. */
async function takeLate(
  deps: HoldDeps,
  call: Call,
  bounded: Bounded,
  { amount, answer }: { readonly amount: LeanPicos; readonly answer: Promise<HoldAnswer> },
): Promise<Refusal | undefined> {
  return await take(deps, call, { ...bounded, amount, answer: await answer });
}

/**
 * The limit on its output that this attempt is sent with, because its environment has one: in every field that the
 * provider heeds, unless one of them has a limit already, and none has something that is no limit. Limits above the
 * environment's were refused before.
 */
function capOf({ outputCap, operation, peeked, route }: Call): Call["outputLimit"] {
  const scan = peeked?.scan ?? null;
  if (outputCap === null || scan === null) return undefined;
  const fields = heededLimits(operation, route);
  const heeded = fields.map((field) => readOutputLimit(scan, field));
  const isLimited = heeded.some((limit) => typeof limit === "number") && !heeded.includes(null);
  if (isLimited || fields.length === 0) return undefined;
  const given = (operation.outputLimits ?? []).map((field) => readOutputLimit(scan, field));
  return { fields, tokens: Math.min(outputCap, ...given.map((limit) => limit ?? outputCap)) };
}

function heededLimits(operation: Operation, route: ProviderRoute | undefined): readonly string[] {
  const ignored = route?.provider.ignoredOutputLimits ?? [];
  return (operation.outputLimits ?? []).filter((field) => !ignored.includes(field));
}

function withCap(bound: CallBound, { outputLimit }: Call): CallBound {
  const [field] = outputLimit?.fields ?? [];
  return outputLimit === undefined || field === undefined
    ? bound
    : withOutputLimit(bound, field, outputLimit.tokens);
}

function boundOf(call: Call): CallBound {
  if (call.route?.provider.isFree === true) return { kind: "free" };
  const { peeked, operation } = call;
  const bytes = peeked?.bytes ?? null;
  return readCallBound(operation, {
    bytes,
    byteLength: bytes?.length ?? declaredLength(call),
    fields: peeked?.isComplete === true ? peeked.fields() : null,
    scan: peeked?.scan ?? null,
  });
}

function declaredLength({ request }: Call): number | null {
  const declared = request.headers.get("content-length");
  return declared === undefined ? null : Number(declared);
}

function wayOf(call: Call): BoundWay {
  return {
    provider: call.route?.pricedAs ?? "",
    model: sentModel(call),
    otherModels: call.peeked?.otherModels ?? NONE,
    atMs: call.attemptStartedAtMs,
    ignoredLimits: call.route?.provider.ignoredOutputLimits ?? NONE,
  };
}

const NONE: readonly never[] = [];

interface Bounded {
  readonly bound: CallBound;
  readonly way: BoundWay;
  readonly windows: HeldWindows;
}

/** What to hold; a call whose cost has no end is refused, unless the environment says what to hold for it. */
function worstCost(
  deps: HoldDeps,
  call: Call,
  { bound, way, windows }: Bounded,
): LeanPicos | Refusal {
  const worst = worstCaseOf(deps.worstCase, way, bound);
  if (worst.kind === "bounded") return worst.amount;
  if (worst.kind === "free") return 0;
  const ceiling = call.routing?.budgetCeilingPicos ?? null;
  if (ceiling !== null) return ceiling;
  const [window] = windows;
  const reason =
    worst.kind === "unpriced"
      ? `it has no price (${worst.why})`
      : `its cost has no upper bound, because ${worst.why}`;
  return {
    code: "cost_unbounded",
    message: `The call counts towards ${window !== undefined && mayKnow(call, window) ? describeBudget(window) : "a budget"}, which is never exceeded, and ${reason}. Whoever runs this gateway can say what to set aside for such calls: keyward environments set-budget-ceiling ${call.key?.environmentName ?? ""} <usd>.`,
  };
}

interface Answered extends Bounded {
  readonly amount: LeanPicos;
  readonly answer: HoldAnswer;
}

function take(
  deps: HoldDeps,
  call: Call,
  answered: Answered,
): Refusal | undefined | Promise<Refusal | undefined> {
  const { answer, amount } = answered;
  if (answer.kind === "held") {
    call.hold = answer;
    return undefined;
  }
  if (answer.kind === "unavailable") return UNAVAILABLE;
  if (answer.isClampable) return clamp(deps, call, answered, answer);
  return refuse(call, answer, amount);
}

/** Sends the call with as low a limit on its output as the budgets afford. */
async function clamp(
  deps: HoldDeps,
  call: Call,
  { bound, way, windows, amount }: Answered,
  tight: TightBudget,
): Promise<Refusal | undefined> {
  const limits = heededLimits(call.operation, call.route);
  const amountPicos = tight.affordablePicos;
  const tokens = affordableOutput(deps.worstCase, way, { bound, amountPicos });
  if (tokens === null || limits.length === 0 || call.peeked?.bytes == null) {
    return refuse(call, tight, amount);
  }
  const answer = await deps.holds.place(windows, amountPicos);
  if (answer.kind === "unavailable") return UNAVAILABLE;
  // Another call was faster. There is an end to it: less than nothing is left for the one that comes last.
  if (answer.kind === "tight") return refuse(call, answer, amount);
  call.hold = answer;
  call.outputLimit = { fields: limits, tokens };
  return undefined;
}

const UNAVAILABLE: Refusal = {
  code: "budget_unavailable",
  message:
    "The call counts towards a hard budget, and the database that knows what is left of it does not answer. Try again shortly.",
};

function refuse(call: Call, tight: TightBudget, amount: LeanPicos): Refusal {
  const { window, limitPicos, spentPicos, affordablePicos } = tight;
  const code = "insufficient_quota";
  const budgetWindowId = window.id;
  if (!mayKnow(call, window)) return { code, budgetWindowId, message: UNTOLD };
  const { endsAtMs } = window.window;
  const until =
    endsAtMs === null ? "" : ` Its next period begins at ${new Date(endsAtMs).toISOString()}.`;
  const unspent = limitPicos - spentPicos;
  // Not all of the budget's money is spent that this call lacks.
  const held =
    amount > unspent
      ? ""
      : ` $${formatUsd(picos(unspent - affordablePicos))} is set aside for calls that have not ended, or whose cost is not booked yet: what they leave of it is free again then.`;
  return {
    code,
    budgetWindowId,
    message: `The call may cost up to $${formatUsd(exactPicos(amount))}, and of ${describeBudget(window)} $${formatUsd(affordablePicos)} of $${formatUsd(limitPicos)} is left.${held}${until} A lower limit on the output makes a call cheaper; whoever runs this gateway can raise the budget: keyward budgets set-limit ${window.budget.id} <usd>.`,
  };
}

/** A key that a customer has been given tells of the customer's own budgets, and not of the team's. */
function mayKnow({ key }: Call, { budget }: HeldWindow): boolean {
  return key?.customer === null || budget.scope.kind === "customer" || budget.scope.kind === "key";
}

const UNTOLD =
  "The call may cost more than is left of a budget that counts it. A lower limit on the output makes a call cheaper.";

function describeBudget(window: HeldWindow): string {
  const { name, scope, period, id } = window.budget;
  const whose =
    scope.kind === "organization" ? "" : ` for the ${SCOPE_WORDS[scope.kind]} "${window.subject}"`;
  const span = period === "total" ? "total budget" : `budget of the ${period}`;
  return `the ${span}${whose} (${name ?? id})`;
}

const SCOPE_WORDS = {
  project: "project",
  environment: "environment",
  key: "key",
  customer: "customer",
  feature: "feature",
  providerAccount: "provider account",
} as const;
