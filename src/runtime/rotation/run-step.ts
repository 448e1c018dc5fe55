import { notedOnce, type Resumable, type Trouble } from "../../core/resumable/resumable.ts";
import type { Repositories } from "../../store/store.ts";
import type { Log } from "../../telemetry/log.ts";
import { type Commit, type Step, type StepDeps, type StepResult, trouble } from "./step.ts";

export interface RunStepDeps extends StepDeps {
  readonly log: Log;
}

export type Driven<Work> =
  | { readonly kind: "moved"; readonly record: Work }
  /** Nothing to do before that time; null: nothing by itself. */
  | { readonly kind: "waits"; readonly untilMs: number | null }
  /** Another process, or a person, has changed it meanwhile: it is to be read again. */
  | { readonly kind: "overtaken" };

/** A piece of work in steps, as its kind of work has it. */
export interface KindOfWork<Work> {
  /** `rotation` */
  readonly what: string;
  readonly afterTrouble: (work: Work, trouble: Trouble, nowMs: number) => Work;
  /** By compare-and-set; undefined: another one was first. */
  readonly save: (repositories: Repositories, work: Work) => Promise<Work | undefined>;
}

export interface Steppable extends Resumable<string> {
  readonly id: string;
  readonly notes: readonly {
    readonly atMs: number;
    readonly state: string;
    readonly text: string;
  }[];
}

const BROKEN = "Keyward itself could not do the step: its log says why";

/**
 * Goes on with a piece of work. What nobody expected stands in its way from then on, and in no other's: it is written on
 * it, and it is tried again later. Rejects when not even that can be written.
 */
export async function driveGuarded<Work extends Steppable>(
  deps: RunStepDeps,
  kind: KindOfWork<Work>,
  work: Work,
  drive: () => Promise<Driven<Work>>,
): Promise<Driven<Work>> {
  try {
    return await drive();
  } catch (err) {
    const { what } = kind;
    deps.log.error({ err, [what]: work.id, state: work.state }, `a ${what} could not go on`);
    return await keep(deps, kind, work, trouble(BROKEN));
  }
}

/** A step that breaks is tried again: the store may be away, a seal may not open. */
export async function attempt<Work extends Steppable>(
  deps: RunStepDeps,
  { what }: KindOfWork<Work>,
  work: Work,
  step: Step<Work>,
): Promise<StepResult<Work>> {
  try {
    return await step(deps, work);
  } catch (err) {
    deps.log.error({ err, [what]: work.id, state: work.state }, `a ${what}'s step broke`);
    return trouble(BROKEN);
  }
}

/** Writes down what a step has come to, all of it or nothing. */
export async function keep<Work extends Steppable>(
  deps: RunStepDeps,
  kind: KindOfWork<Work>,
  work: Work,
  result: StepResult<Work>,
): Promise<Driven<Work>> {
  const { log } = deps;
  const record =
    result.kind === "next" ? result.record : troubled(deps, kind, work, result.trouble);
  const commit = result.kind === "next" ? result.commit : undefined;
  const saved = await save(deps, kind, record, commit);
  if (saved === undefined) return { kind: "overtaken" };
  const { id, state, problem } = saved;
  const facts = { [kind.what]: id, from: work.state, state };
  if (state === "failed") log.error({ ...facts, problem }, `a ${kind.what} waits for a person`);
  else if (result.kind === "trouble") {
    log.warn({ ...facts, problem }, `a ${kind.what}'s step is tried again`);
  } else log.info(facts, `a ${kind.what} goes on`);
  return { kind: "moved", record: saved };
}

async function save<Work extends Steppable>(
  { store }: RunStepDeps,
  kind: KindOfWork<Work>,
  record: Work,
  commit: Commit | undefined,
): Promise<Work | undefined> {
  try {
    return await store.transaction(async (repositories) => {
      if (commit !== undefined && !(await commit(repositories))) throw new OvertakenError();
      const kept = await kind.save(repositories, record);
      if (kept === undefined) throw new OvertakenError();
      return kept;
    });
  } catch (err) {
    // Recovered from: nothing of the transaction has become true, and the record is read again.
    if (err instanceof OvertakenError) return undefined;
    throw err;
  }
}

class OvertakenError extends Error {}

function troubled<Work extends Steppable>(
  { nowMs }: RunStepDeps,
  { afterTrouble }: KindOfWork<Work>,
  work: Work,
  met: Trouble,
): Work {
  return afterTrouble(notedOnce(work, met.problem, nowMs()), met, nowMs());
}
