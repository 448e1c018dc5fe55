import { isLoopback } from "../core/network/loopback.ts";
import { formatTime } from "./format-cells.ts";
import type { Output } from "./output.ts";

/** A link that lets a person in, alone on standard output. */
export function printLink(
  { link, expiresAt }: { readonly link: string; readonly expiresAt: string },
  output: Pick<Output, "line" | "note" | "warn">,
): void {
  output.line(link);
  output.note(`works once, until ${formatTime(expiresAt)}; it is not shown again`);
  if (isLoopback(new URL(link).hostname)) output.warn(OPENS_HERE_ALONE);
}

/** Whoever is sent it opens their own machine. */
const OPENS_HERE_ALONE =
  "the link opens on the server's machine alone: set `publicUrl` (KEYWARD_PUBLIC_URL) to where people reach Keyward, restart it, and make another link";
