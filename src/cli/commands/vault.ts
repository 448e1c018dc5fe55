import { randomBytes } from "node:crypto";
import type { Config } from "../../config/config-schema.ts";
import type { Store } from "../../store/store.ts";
import type { Vault } from "../../vault/vault.ts";
import { CliError } from "../cli-error.ts";
import { type CommandContext, defineCommand } from "../command.ts";
import { formatCount, formatTime } from "../format-cells.ts";
import { confirm } from "../prompts.ts";
import { readSecret, SECRET_OPTIONS } from "../read-secret.ts";

const info = defineCommand({
  summary: "say which root key the vault is sealed under",
  details: "Opens the vault, so it also says whether the root key at hand is the right one.",
  examples: ["keyward vault info", "keyward vault info --json"],
  reach: "local",
  printsData: true,
  run: (context) =>
    withVault(context, async ({ store, config, rootKey }) => {
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
    "Wraps every data key anew, in one transaction; the secrets themselves are not touched, and a server that runs goes on. A root key in the data directory is drawn and put in place here. One that is set as KEYWARD_ROOT_KEY is yours to make and to keep: hand the new one in with --secret-stdin or --secret-env, then set it and restart.",
  examples: [
    "keyward vault rotate-root",
    "openssl rand -base64 32 > new.key && keyward vault rotate-root --secret-stdin < new.key",
  ],
  reach: "local",
  printsData: true,
  options: { yes: { description: "do not ask" }, ...SECRET_OPTIONS },
  run: (context) =>
    withVault(context, async ({ store, config, opened, rootKey }) => {
      const { io, options, output } = context;
      const { findRootKey } = await import("../../runtime/open-vault.ts");
      const { rotateRootKey } = await import("../../vault/local/rotate-root-key.ts");
      const { IdFactory } = await import("../../core/ids/ids.ts");
      const newRootKey = await readNewRootKey(context, config);
      const question = `Replace root key ${rootKey.id}?`;
      // Who hands a key in on standard input has nothing left to answer with.
      const isAsked = !options.yes && !options.secretStdin;
      if (isAsked && !(await confirm(io, question, "add --yes"))) {
        throw new CliError("not confirmed; nothing was changed");
      }
      const nowMs = (): number => io.nowMs();
      const { BY_LOCAL, openAudit } = await import("../../runtime/open-audit.ts");
      const audited = await openAudit({ store, vault: opened, nowMs });
      const rotation = await audited.as(BY_LOCAL, () =>
        rotateRootKey({
          rootKey: findRootKey(config),
          keys: audited.vaultKeys,
          ids: new IdFactory({ nowMs, randomBytes }),
          clock: { nowMs },
          ...(newRootKey === undefined ? {} : { newRootKey }),
        }),
      );
      await output.data(rotation, () => {
        const { current, dataKeys } = rotation;
        output.line(`the root key is now ${current.id} (fingerprint ${current.fingerprint})`);
        output.note(`${dataKeys} data keys were wrapped anew`);
        output.note(
          config.rootKey === null
            ? `next: back up ${config.dataDir}/root.key, apart from the database`
            : "next: set KEYWARD_ROOT_KEY to the new key and restart the server",
        );
      });
    }),
});

export const vault = { info, "rotate-root": rotateRoot };

interface OpenVault {
  readonly store: Store;
  readonly config: Config;
  readonly opened: Vault;
  readonly rootKey: { readonly id: string; readonly fingerprint: string };
}

async function withVault(
  { config, io }: Pick<CommandContext, "config" | "io">,
  work: (parts: OpenVault) => Promise<void>,
): Promise<void> {
  const settings = await config();
  const { openLocalStore } = await import("../../runtime/local-store.ts");
  const { openVault } = await import("../../runtime/open-vault.ts");
  const { IdFactory } = await import("../../core/ids/ids.ts");
  const store = await openLocalStore(settings);
  try {
    const ids = new IdFactory({ nowMs: () => io.nowMs(), randomBytes });
    const opened = await openVault({ config: settings, store, ids });
    const { rootKey } = opened;
    await work({ store, config: settings, opened, rootKey });
  } finally {
    await store.close();
  }
}

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
