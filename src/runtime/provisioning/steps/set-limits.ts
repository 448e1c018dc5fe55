import {
  expandModels,
  type ProviderLimits,
  type RateLimit,
} from "../../../core/provisioning/provider-limits.ts";
import { enterProvisionState } from "../../../core/provisioning/provision.ts";
import { noted } from "../../../core/resumable/resumable.ts";
import { counted } from "../../../core/text/counted.ts";
import type {
  AdministrationAnswer,
  KeyAdministration,
  ModelRateLimit,
} from "../../../providers/key-administration.ts";
import type { LimitOutcome, ProvisionRecord } from "../../../store/provision-repository.ts";
import { finalTrouble, next, type Step, troubleOf } from "../../rotation/step.ts";
import { openProvisionDesk, unlessNew } from "../made-things.ts";

/** After so many tries the provision goes on without a limit that could not be set, and says so. */
const MAX_TRIES = 4;

interface Project {
  readonly administration: KeyAdministration;
  readonly projectId: string;
}

/** One of the limits; what it was set to, for people. */
interface Wish {
  readonly limit: keyof ProviderLimits;
  readonly set: () => Promise<AdministrationAnswer<string>>;
}

/**
 * Holds the project to what Keyward's own limits come to, before there is a key that could spend. A limit that the provider
 * refuses to set is reported with what to do by hand, and ends nothing: Keyward's own limits hold without it.
 */
export const setLimits: Step<ProvisionRecord> = async (deps, provision) => {
  const { found } = await openProvisionDesk(deps, provision);
  if (found.kind === "absent") return finalTrouble(found.problem);
  const { projectId, limits } = provision;
  if (projectId === null) return finalTrouble("there is no project");
  const { administration } = found;
  const outcomes: LimitOutcome[] = [];
  for (const { limit, set: wish } of wishesOf({ administration, projectId }, limits)) {
    const set = await wish();
    const answer = set.kind === "done" ? set : unlessNew(set, provision, deps.nowMs());
    if (answer.kind === "trouble" && provision.attempts < MAX_TRIES) {
      return troubleOf(answer, `${NAMES[limit]} could not be set`);
    }
    outcomes.push(outcomeOf(limit, answer, administration.placeOf(limit)));
  }
  const nowMs = deps.nowMs();
  let record: ProvisionRecord = { ...provision, outcomes };
  for (const { text } of outcomes) record = noted(record, text, nowMs);
  return next(enterProvisionState(record, "key", nowMs));
};

const NAMES: Readonly<Record<keyof ProviderLimits, string>> = {
  spend: "the spend limit",
  models: "the allowed models",
  rate: "the rate limits",
};

function outcomeOf(
  limit: keyof ProviderLimits,
  answer: AdministrationAnswer<string>,
  place: string,
): LimitOutcome {
  if (answer.kind === "done") {
    return { limit, isSet: true, text: `${NAMES[limit]}: ${answer.value}` };
  }
  const why = answer.kind === "missing" ? "the provider has no such setting" : answer.problem;
  const text = `${NAMES[limit]} could not be set (${why}): set it by hand, at ${place}`;
  return { limit, isSet: false, text };
}

function wishesOf(project: Project, { spend, models, rate }: ProviderLimits): readonly Wish[] {
  const wishes: Wish[] = [];
  if (spend !== null) {
    wishes.push({ limit: "spend", set: () => setSpend(project, spend.monthlyCents) });
  }
  if (models !== null) wishes.push({ limit: "models", set: () => setModels(project, models) });
  if (rate !== null) wishes.push({ limit: "rate", set: () => setRates(project, rate, models) });
  return wishes;
}

async function setSpend(
  { administration, projectId }: Project,
  cents: number,
): Promise<AdministrationAnswer<string>> {
  const set = await administration.setSpendLimit(projectId, cents);
  return set.kind === "done" ? done(`$${(cents / 100).toFixed(2)} a month`) : set;
}

async function setModels(
  { administration, projectId }: Project,
  patterns: readonly string[],
): Promise<AdministrationAnswer<string>> {
  // The provider takes names alone. A beginning stands for the models that it has today.
  const known = patterns.some((pattern) => pattern.endsWith("*"))
    ? await administration.listRateLimits(projectId)
    : done<readonly ModelRateLimit[]>([]);
  if (known.kind !== "done") return known;
  const models = expandModels(
    patterns,
    known.value.map(({ model }) => model),
  );
  if (models.length === 0) {
    const problem = `it has no model that is ${patterns.join(" or ")}`;
    return { kind: "refused", status: 0, problem };
  }
  const set = await administration.allowModels(projectId, models);
  return set.kind === "done" ? done(models.join(", ")) : set;
}

/** Only ever downwards: what the provider gives the project is its own limit as well. */
async function setRates(
  { administration, projectId }: Project,
  rate: RateLimit,
  patterns: readonly string[] | null,
): Promise<AdministrationAnswer<string>> {
  const limits = await administration.listRateLimits(projectId);
  if (limits.kind !== "done") return limits;
  const models = expandModels(
    patterns ?? ["*"],
    limits.value.map(({ model }) => model),
  );
  for (const limit of limits.value) {
    if (!models.includes(limit.model)) continue;
    const change = {
      requestsPerMinute: lower(limit.requestsPerMinute, rate.requestsPerMinute),
      tokensPerMinute: lower(limit.tokensPerMinute, rate.tokensPerMinute),
    };
    if (change.requestsPerMinute === null && change.tokensPerMinute === null) continue;
    const set = await administration.setRateLimit(projectId, limit.id, change);
    if (set.kind !== "done") return set;
  }
  return done(`at most ${describeRate(rate)} for each model`);
}

function lower(present: number | null, wanted: number | null): number | null {
  return present !== null && wanted !== null && wanted < present ? wanted : null;
}

function describeRate({ requestsPerMinute, tokensPerMinute }: RateLimit): string {
  return [
    ...(requestsPerMinute === null ? [] : [counted(requestsPerMinute, "request")]),
    ...(tokensPerMinute === null ? [] : [counted(tokensPerMinute, "token")]),
  ]
    .join(" and ")
    .concat(" a minute");
}

function done<Value>(value: Value): AdministrationAnswer<Value> {
  return { kind: "done", value };
}
