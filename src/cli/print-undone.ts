import type { HandChange } from "../store/sqlite/access-state.ts";
import { formatCount, formatTime } from "./format-cells.ts";
import type { Output } from "./output.ts";

type UndoneAnswer = Omit<HandChange, "atMs"> & { readonly at: string };

const MAX_SHOWN = 20;

export function answerOf({ atMs, ...rest }: HandChange): UndoneAnswer {
  return { at: new Date(atMs).toISOString(), ...rest };
}

/** What is gone with the database that was put back, and what is as it was before. */
export function printUndone(
  output: Pick<Output, "line" | "note">,
  undone: readonly UndoneAnswer[],
): void {
  const isMade = ({ action }: UndoneAnswer): boolean => action.endsWith(".created");
  const lists = [
    ["made since the backup, and gone", undone.filter(isMade)],
    ["changed since the backup, and undone by it", undone.filter((one) => !isMade(one))],
  ] as const;
  for (const [title, changes] of lists) {
    if (changes.length > 0) output.line(`${title}: ${formatCount(changes.length)}`);
    for (const { at, actor, action, target } of changes.slice(0, MAX_SHOWN)) {
      output.line(`  ${formatTime(at)}  ${action}  ${target}  by ${actor}`);
    }
    if (changes.length > MAX_SHOWN) output.note("--json has all of them");
  }
}
