import { randomUUID } from "node:crypto";
import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { AuditMark } from "../core/audit/audit-mark.ts";
import { createPrivateFile } from "../files/create-private-file.ts";
import { syncDirectory } from "../files/sync-directory.ts";
import type { AuditMarkPlace } from "../store/audited/mark-keeper.ts";

const MARK_FILE = "audit.mark";

const markSchema = z.strictObject({
  sequence: z.int().positive(),
  hash: z.string(),
  tag: z.string(),
});

/** What text that is no mark is taken for: no key has made it, so that it is found to be false. */
const UNREADABLE: AuditMark = { sequence: 0, hash: "", tag: "" };

/** The mark in the data directory, one for all processes on it. */
export class AuditMarkFile implements AuditMarkPlace {
  readonly onFault: (error: unknown) => void;
  readonly #dataDir: string;

  constructor(dataDir: string, onFault: (error: unknown) => void) {
    this.#dataDir = dataDir;
    this.onFault = onFault;
  }

  async read(): Promise<AuditMark | undefined> {
    let text: string;
    try {
      text = await readFile(join(this.#dataDir, MARK_FILE), "utf8");
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw err;
    }
    return markSchema.safeParse(parseJson(text)).data ?? UNREADABLE;
  }

  async write(mark: AuditMark): Promise<void> {
    const draft = join(this.#dataDir, `${MARK_FILE}.${randomUUID()}`);
    try {
      await createPrivateFile(draft, `${JSON.stringify(mark)}\n`);
      await rename(draft, join(this.#dataDir, MARK_FILE));
      await syncDirectory(this.#dataDir);
    } finally {
      await rm(draft, { force: true });
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
