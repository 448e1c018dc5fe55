import { isLoopback } from "../core/network/loopback.ts";
import { formatTime } from "./format-cells.ts";
import type { Output } from "./output.ts";

/** A link that lets a person in, alone on standard output; where it does not reach is said beside JSON, too. */
export async function printLink(
  made: { readonly link: string; readonly expiresAt: string },
  output: Pick<Output, "data" | "line" | "note" | "warn">,
  notes: readonly string[] = [],
): Promise<void> {
  const { link, expiresAt } = made;
  await output.data(made, () => {
    output.line(link);
    output.note(`works once, until ${formatTime(expiresAt)}; it is not shown again`);
    for (const note of notes) output.note(note);
  });
  if (isLoopback(new URL(link).hostname)) output.warn(OPENS_HERE_ALONE);
}

/** Whoever is sent it opens their own machine. */
const OPENS_HERE_ALONE =
  "the link opens on the server's machine alone: set `publicUrl` (KEYWARD_PUBLIC_URL) to where people reach Keyward, restart it, and make another link";
