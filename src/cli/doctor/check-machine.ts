import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../../config/config-schema.ts";
import { findOpenaiKey, type FoundOpenaiKey } from "../../config/import-openai-key.ts";
import { previewProviderKey } from "../../core/keys/provider-key.ts";
import { JOURNAL_FOLDER, ROOT_KEY_FILE } from "../../runtime/data-directory.ts";
import { inspectJournals } from "../../runtime/inspect-journals.ts";
import type { CliIo } from "../cli-io.ts";
import { findServerHere } from "../server-here.ts";
import { type Check, fail, pass, warn } from "./check.ts";

const OTHERS_MASK = 0o077;

export function checkNode(version: string): Check {
  const major = Number.parseInt(version.replace(/^v/, ""), 10);
  if (major >= 24) return pass("node", `Node ${version}`);
  return fail("node", `Node ${version} is too old`, "install Node 24 or newer");
}

/** That it is there, a directory, and its owner's alone. */
export async function checkDataDirectory({ dataDir }: Pick<Config, "dataDir">): Promise<Check> {
  const found = await statOf(dataDir);
  if (found === undefined) {
    const remedy = "run `keyward start` here, or name its directory with --data-dir";
    return fail("data directory", `there is none at ${dataDir}`, remedy);
  }
  if (!found.isDirectory()) {
    return fail("data directory", `${dataDir} is a file`, "name another with --data-dir");
  }
  if ((found.mode & OTHERS_MASK) === 0) return pass("data directory", dataDir);
  const message = `${dataDir} is open to other users (mode ${octal(found.mode)})`;
  return warn("data directory", message, `chmod 700 ${dataDir}`);
}

/** That the root key's file is there and its owner's alone; whether it fits is for the vault to say. */
export async function checkRootKeyFile(
  config: Pick<Config, "dataDir" | "rootKey">,
): Promise<Check> {
  if (config.rootKey !== null) return pass("root key file", "not used: KEYWARD_ROOT_KEY is set");
  const path = join(config.dataDir, ROOT_KEY_FILE);
  const found = await statOf(path);
  if (found === undefined) {
    const remedy = "put it back from the backup, or give its content as KEYWARD_ROOT_KEY";
    return fail("root key file", `${path} is missing`, remedy);
  }
  if ((found.mode & OTHERS_MASK) === 0) return pass("root key file", path);
  const message = `${path} is open to other users (mode ${octal(found.mode)})`;
  return fail("root key file", message, `chmod 600 ${path}`);
}

export async function checkJournals({ dataDir }: Pick<Config, "dataDir">): Promise<Check> {
  const found = await inspectJournals(join(dataDir, JOURNAL_FOLDER));
  if (found.corruptFiles.length > 0) {
    const message = `lines that cannot be read were put aside: ${found.corruptFiles.join(", ")}`;
    const remedy = `look at them in ${join(dataDir, JOURNAL_FOLDER)}, then delete them`;
    return warn("journal", message, remedy);
  }
  if (found.leftOver > 0) {
    const message = `${found.leftOver} left by processes that ended abruptly`;
    return warn("journal", message, "`keyward start` takes their calls into the ledger");
  }
  return pass("journal", found.running === 0 ? "nothing left over" : `${found.running} in use`);
}

/** What answers where this data directory's server is, or would be by the settings, and whether it is the server of this data directory. */
export async function checkPort(config: Pick<Config, "dataDir" | "host" | "port">): Promise<Check> {
  const { url, host, port, answerer, running } = await findServerHere(config);
  switch (answerer.kind) {
    case "keyward":
      if (running === 0) {
        const message = `the Keyward at ${url} is one of another data directory`;
        return warn("port", message, "name its directory with --data-dir, or choose another port");
      }
      return pass("port", `Keyward ${answerer.version} answers at ${url}`);
    case "nobody":
      return pass("port", `${port} is free`);
    case "other":
    default:
      return fail(
        "port",
        `another program has port ${port} of ${host}`,
        "stop it, or choose another: keyward start --port 4242",
      );
  }
}

/** The provider key that the app in this directory still reads, if it does. */
export function findAppKey(
  { env, cwd }: Pick<CliIo, "env" | "cwd">,
  { host, port }: Pick<Config, "host" | "port">,
): FoundOpenaiKey | undefined {
  return findOpenaiKey({ env, cwd, own: { host, port } }).found;
}

/** Whether the app still calls the provider by itself. `isInVault`: undefined where the vault cannot be asked. */
export function checkAppKey(
  found: FoundOpenaiKey | undefined,
  isInVault: boolean | undefined,
): Check {
  if (found === undefined)
    return pass("app key", "no provider key in the environment or .env files");
  const place = isInVault === undefined ? "" : `, which is ${isInVault ? "" : "not "}in the vault`;
  const message = `${found.where} holds the provider key ${previewProviderKey(found.secret)}${place}: what reads it goes past Keyward`;
  const replace = "replace it with a key from `keyward keys create`";
  if (isInVault !== false) return warn("app key", message, replace);
  const take = `${addKeyCommands(false)} --environment <name>`;
  return warn("app key", message, `${take}; then ${replace}`);
}

/** The way to a provider key; the first step is to have an account. */
export function addKeyCommands(hasAccount: boolean): string {
  const add = "keyward provider-keys add --account <name>";
  if (hasAccount) return add;
  return `keyward provider-accounts create --name <name> --kind <personal|organization>, then ${add}`;
}

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}
