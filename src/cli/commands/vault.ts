import type { Config } from "../../config/config-schema.ts";
import { CliError } from "../cli-error.ts";
import { type CommandContext, defineCommand } from "../command.ts";
import { formatCount, formatTime } from "../format-cells.ts";
import { agree } from "../prompts.ts";
import { readSecret, SECRET_OPTIONS } from "../read-secret.ts";
import { withLocalVault } from "../with-local-vault.ts";

const info = defineCommand({
  summary: "say which root key the vault is sealed under",
  details: "Opens the vault, so it also says whether the root key at hand is the right one.",
  examples: ["keyward vault info", "keyward vault info --json"],
  reach: "local",
  printsData: true,
  run: (context) =>
    withLocalVault(context, async ({ store, config, vault: opened }) => {
      const { rootKey } = opened;
      const record = await store.vaultKeys.currentRootKey();
      const answer = {
        rootKey: {
          ...rootKey,
          createdAt: record === undefined ? null : new Date(record.createdAtMs).toISOString(),
          source: config.rootKey === null ? "file" : "KEYWARD_ROOT_KEY",
        },
        dataKeys: (await store.vaultKeys.listDataKeys()).length,
      };
      await context.output.data(answer, () => {
        const { id, fingerprint, createdAt, source } = answer.rootKey;
        context.output.facts([
          ["root key", id],
          ["fingerprint", fingerprint],
          ["created", createdAt === null ? "–" : formatTime(createdAt)],
          ["taken from", source === "file" ? `${config.dataDir}/root.key` : source],
          ["data keys", formatCount(answer.dataKeys)],
        ]);
      });
    }),
});

const rotateRoot = defineCommand({
  summary: "replace the root key",
  details:
    "Wraps every data key anew, in one transaction; the secrets themselves are not touched, and a server that runs goes on. Backups from before still need the old root key: keep it as long as you keep them. A root key in the data directory is drawn and put in place here. One that is set as KEYWARD_ROOT_KEY is yours to make and to keep: hand the new one in with --secret-stdin or --secret-env, then set it and restart.",
  examples: [
    "keyward vault rotate-root",
    "openssl rand -base64 32 > new.key && keyward vault rotate-root --secret-stdin < new.key",
  ],
  reach: "local",
  printsData: true,
  options: { yes: { description: "do not ask" }, ...SECRET_OPTIONS },
  run: (context) =>
    withLocalVault(context, async ({ config, vault: opened, ids, nowMs, act }) => {
      const { rootKey } = opened;
      const { io, options, output } = context;
      const { findRootKey } = await import("../../runtime/open-vault.ts");
      const { rotateRootKey } = await import("../../vault/local/rotate-root-key.ts");
      const newRootKey = await readNewRootKey(context, config);
      const question = `Backups from before still need root key ${rootKey.id}: keep a copy of it with them. Replace it?`;
      // Who hands a key in on standard input has nothing left to answer with.
      await agree({ io, isAgreed: options.yes || options.secretStdin }, question);
      const rotation = await act((audited) =>
        rotateRootKey({
          rootKey: findRootKey(config),
          keys: audited.vaultKeys,
          ids,
          clock: { nowMs },
          ...(newRootKey === undefined ? {} : { newRootKey }),
        }),
      );
      await output.data(rotation, () => {
        const { previous, current, dataKeys } = rotation;
        output.line(`the root key is now ${current.id} (fingerprint ${current.fingerprint})`);
        output.note(`${dataKeys} data keys were wrapped anew`);
        output.warn(
          `backups from before open with root key ${previous.id} (fingerprint ${previous.fingerprint}) alone: keep it as long as you keep them`,
        );
        output.note(
          config.rootKey === null
            ? `next: back up ${config.dataDir}/root.key, apart from the database`
            : "next: set KEYWARD_ROOT_KEY to the new key and restart the server",
        );
      });
    }),
});

export const vault = { info, "rotate-root": rotateRoot };

async function readNewRootKey(
  { io, options }: CommandContext<Parameters<typeof readSecret>[1]>,
  config: Config,
) {
  const isGiven = options.secretStdin || options.secretEnv !== undefined;
  if (config.rootKey === null && !isGiven) return undefined;
  if (config.rootKey !== null && !isGiven) {
    throw new CliError("the root key is set as KEYWARD_ROOT_KEY: the new one is yours to make", {
      isUsage: true,
      advice: "openssl rand -base64 32, then --secret-stdin or --secret-env NAME",
    });
  }
  const { parseRootKey } = await import("../../vault/local/root-key.ts");
  const key = parseRootKey(await readSecret(io, options, "New root key: "));
  if (key !== undefined) return key;
  throw new CliError("that is no root key: expected 32 bytes as base64 or hex", {
    advice: "make one with: openssl rand -base64 32",
  });
}
