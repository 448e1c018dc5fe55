import type { Resumable } from "../core/resumable/resumable.ts";

/** Who drives it may save it in the same moment; then it is read again. */
const MAX_TRIES = 10;

/**
 * A change that a person makes to work that a process drives meanwhile. `apply` gives back undefined where the work, as it
 * is now, does not take it.
 */
export async function changeWork<Work extends Resumable<string>>({
  find,
  apply,
  save,
  isEnded = false,
}: {
  /** The change is one of what has ended, and of nothing else. */
  readonly isEnded?: boolean;
  readonly find: () => Promise<Work | undefined>;
  readonly apply: (work: Work) => Work | undefined;
  /** By compare-and-set. */
  readonly save: (work: Work) => Promise<Work | undefined>;
}): Promise<Work | "missing" | "refused"> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const work = await find();
    if (work === undefined) return "missing";
    const changed = (work.endedAtMs !== null) === isEnded ? apply(work) : undefined;
    if (changed === undefined) return "refused";
    const saved = await save(changed);
    if (saved !== undefined) return saved;
  }
  throw new Error("the record is changed again and again");
}
