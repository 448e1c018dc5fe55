import type { RevivedSecret } from "../runtime/backup/revived-secrets.ts";
import type { Output } from "./output.ts";

interface RevivedAnswer extends RevivedSecret {
  /** The command that puts it right. */
  readonly next: string;
}

export function withNext(revived: RevivedSecret): RevivedAnswer {
  const rotate = `keyward provider-keys rotate ${revived.id}`;
  return { ...revived, next: revived.isStolen ? `${rotate} --compromise` : rotate };
}

/** A database that was put back calls with these secrets again, and has forgotten why they were replaced. */
export function warnOfRevived(
  output: Pick<Output, "warn">,
  revived: readonly RevivedAnswer[],
): void {
  for (const { name, isStolen, next } of revived) {
    output.warn(
      isStolen
        ? `provider key ${name} has a stolen secret again: rotate it now: ${next}`
        : `provider key ${name} has the secret again that was replaced since, which its provider may not take any more: ${next}`,
    );
  }
}
