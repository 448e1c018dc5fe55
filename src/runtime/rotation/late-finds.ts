/** What a late look comes to, of a rotation or of a provision: it is written on the record, which stays as it ended. */
import { afterLateLook, afterLateTrouble, type LateLook } from "../../core/resumable/late-look.ts";
import { noted, type Trouble } from "../../core/resumable/resumable.ts";
import type {
  AdministrationAnswer,
  KeyAdministration,
} from "../../providers/key-administration.ts";
import { deleteThing, isFailed, type NamedThing } from "./remote-keys.ts";
import { next, type StepResult, trouble } from "./step.ts";

export interface LateWork {
  readonly state: string;
  readonly endedAtMs: number | null;
  readonly remoteName: string;
  readonly lateLook: LateLook | null;
  readonly notes: readonly {
    readonly atMs: number;
    readonly state: string;
    readonly text: string;
  }[];
}

type Failed = Exclude<AdministrationAnswer<unknown>, { readonly kind: "done" }>;

/** Deletes what came late; what is not deleted is in the way of the next look. */
export async function deleteStrays<Work extends LateWork>(
  administration: KeyAdministration,
  work: Work,
  { strays, nowMs }: { readonly strays: readonly NamedThing[]; readonly nowMs: () => number },
): Promise<StepResult<Work>> {
  const deleted: string[] = [];
  for (const thing of strays) {
    const answer = await deleteThing(administration, thing);
    if (!isFailed(answer)) deleted.push(thing.id);
    else if (deleted.length === 0) return notNow(work, answer);
    // What is deleted is written down first; the rest is looked for at once.
    else return next(withDeleted(work, deleted, nowMs()));
  }
  return next(looked(work, deleted, nowMs()));
}

export function looked<Work extends LateWork>(
  work: Work,
  deleted: readonly string[],
  nowMs: number,
): Work {
  const { lateLook, endedAtMs } = work;
  if (lateLook === null || endedAtMs === null) return work;
  const done = { ...work, lateLook: afterLateLook(lateLook, endedAtMs, nowMs) };
  return withDeleted(done, deleted, nowMs);
}

function withDeleted<Work extends LateWork>(
  work: Work,
  deleted: readonly string[],
  nowMs: number,
): Work {
  const { lateLook } = work;
  if (lateLook === null || deleted.length === 0) return work;
  const all = { ...lateLook, deleted: [...lateLook.deleted, ...deleted] };
  const text = `what the provider made after the end, and nobody has, is deleted there (${deleted.join(", ")})`;
  return noted({ ...work, lateLook: all }, text, nowMs);
}

export function putOff<Work extends LateWork>(work: Work, met: Trouble, nowMs: number): Work {
  const { lateLook, endedAtMs } = work;
  if (lateLook === null || endedAtMs === null) return work;
  const put = afterLateTrouble(lateLook, { endedAtMs, trouble: met }, nowMs);
  const later = { ...work, lateLook: put };
  if (put.atMs !== null) return later;
  return noted(later, `nobody looks any more: look at the provider for ${work.remoteName}`, nowMs);
}

export function notNow(work: LateWork, answer: Failed): StepResult<never> {
  const why = answer.kind === "missing" ? "the provider does not know it" : answer.problem;
  return cannotLook(work, why, answer.kind === "trouble" ? answer.retryAfterMs : undefined);
}

export function cannotLook(
  { remoteName }: Pick<LateWork, "remoteName">,
  why: string,
  retryAfterMs?: number,
): StepResult<never> {
  const problem = `whether the provider made another ${remoteName} after the end cannot be looked up: ${why}`;
  return trouble(problem, retryAfterMs);
}

/** What one look has found, to be logged. */
export function foundBy(
  before: Pick<LateWork, "lateLook">,
  after: Pick<LateWork, "lateLook">,
): readonly string[] {
  return (after.lateLook?.deleted ?? []).slice(before.lateLook?.deleted.length ?? 0);
}
