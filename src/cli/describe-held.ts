import type { HeldWork } from "../runtime/backup/hold-open-work.ts";
import { formatCount } from "./format-cells.ts";
import type { Output } from "./output.ts";

/** What a restored database does at no provider any more by itself. */
export function describeHeld(
  { heldRotations, heldProvisions, droppedLooks, endedSchedules }: HeldWork,
  output: Pick<Output, "line" | "warn" | "note">,
): void {
  if (heldRotations + heldProvisions > 0) {
    output.warn(
      `under way in the backup, and on hold now: rotations ${formatCount(heldRotations)}, provisions ${formatCount(heldProvisions)}`,
    );
    output.note(
      "the installation of the backup may have gone on with them; keyward status says what to do with each",
    );
  }
  if (droppedLooks > 0) {
    output.line(
      `ended rotations and provisions that are not looked after any more: ${formatCount(droppedLooks)}`,
    );
  }
  if (endedSchedules.length === 0) return;
  output.warn("these provider keys are not rotated by themselves any more; set it again:");
  for (const { keyId, name, rotateEveryDays } of endedSchedules) {
    output.line(
      `  ${name}: keyward provider-keys update ${keyId} --rotate-every-days ${rotateEveryDays}`,
    );
  }
}
