import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config/config-schema.ts";
import type { CliIo } from "./cli-io.ts";
import type { Output } from "./output.ts";

const FILE = "first-start.txt";

/**
 * Tells what a start has made that only its owner should see. Standard output is where a person looks; where that is known to be kept
 * (systemd's journal, the logs of a container), an owner's token would rest in it for years, for everybody who may read logs. So it goes
 * into a file of the data directory then, beside the root key, and the output says where.
 */
export function tellFirstSecrets(
  lines: readonly string[],
  { dataDir, firstSecrets }: Pick<Config, "dataDir" | "firstSecrets">,
  { io, output }: { readonly io: Pick<CliIo, "isOutputKept">; readonly output: Output },
): void {
  if (lines.length === 0) return;
  const isPrinted = firstSecrets === "auto" ? !io.isOutputKept : firstSecrets === "print";
  if (isPrinted) {
    for (const line of lines) output.line(line);
    return;
  }
  const path = join(dataDir, FILE);
  output.line();
  try {
    // What an earlier start has left there, nobody may have read yet.
    appendFileSync(path, `${lines.join("\n")}\n`, { mode: 0o600 });
  } catch (error) {
    // Recovered from: it serves, and all of it can be made anew.
    const reason = error instanceof Error ? error.message : String(error);
    output.warn(`what this start has made could not be written to ${path} (${reason})`);
    output.line("make others on this machine, with the same settings:");
    for (const command of COMMANDS) output.line(`  ${command}`);
    return;
  }
  output.line(`What only you should see is not printed here, where it would be kept: read it in`);
  output.line();
  output.line(path);
  output.line();
  output.line("as the user that runs this, and delete the file then.");
}

const COMMANDS = [
  "keyward owner-link",
  "keyward keys create --environment development --name <app>",
  "keyward admin-tokens create --name <name> --role owner",
] as const;
