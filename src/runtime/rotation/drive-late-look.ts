import { foundBy, type LateWork } from "./late-finds.ts";
import {
  attempt,
  type Driven,
  driveGuarded,
  keep,
  type KindOfWork,
  type RunStepDeps,
  type Steppable,
} from "./run-step.ts";
import type { Step } from "./step.ts";

interface LateLooking<Work> {
  readonly kind: KindOfWork<Work>;
  readonly look: Step<Work>;
  /** Into the log, where it has found and deleted something. */
  readonly told: string;
}

/** Makes the late look of ended work when it is time. The work stays as it ended. */
export async function driveLateLook<Work extends LateWork & Steppable>(
  deps: RunStepDeps,
  work: Work,
  { kind, look, told }: LateLooking<Work>,
): Promise<Driven<Work>> {
  const atMs = work.lateLook?.atMs ?? null;
  if (atMs === null || atMs > deps.nowMs()) return { kind: "waits", untilMs: atMs };
  const driven = await driveGuarded(deps, kind, work, async () =>
    keep(deps, kind, work, await attempt(deps, kind, work, look)),
  );
  const found = driven.kind === "moved" ? foundBy(work, driven.record) : [];
  if (found.length > 0) deps.log.warn({ [kind.what]: work.id, deleted: found }, told);
  return driven;
}
