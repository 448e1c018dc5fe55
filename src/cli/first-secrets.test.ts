import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createScratchDirectory } from "../../test/support/scratch-directory.ts";
import type { Config } from "../config/config-schema.ts";
import { tellFirstSecrets } from "./first-secrets.ts";
import { Output } from "./output.ts";

const SECRET = "kw_admin_of-this-test";
let dataDir: string;
beforeEach(async () => {
  dataDir = await createScratchDirectory("keyward-first-");
});
afterEach(() => rm(dataDir, { recursive: true }));

/** What is said on both outputs. */
async function tell(
  isOutputKept: boolean,
  firstSecrets: Config["firstSecrets"] = "auto",
  lines: readonly string[] = ["", SECRET],
  into = dataDir,
): Promise<string> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const output = new Output({ stdout, stderr, hasColor: { stdout: false, stderr: false } }, false);
  tellFirstSecrets(lines, { dataDir: into, firstSecrets }, { io: { isOutputKept }, output });
  stdout.end();
  stderr.end();
  return (await text(stdout)) + (await text(stderr));
}

describe("what the first start has made", () => {
  test.each([
    [false, "auto"],
    [true, "print"],
    [false, "print"],
  ] as const)(
    "is printed where the output is kept: %s, and the setting is %s",
    async (isKept, setting) => {
      expect(await tell(isKept, setting)).toBe(`\n${SECRET}\n`);
      await expect(stat(join(dataDir, "first-start.txt"))).rejects.toThrow("ENOENT");
    },
  );

  test.each([
    [true, "auto"],
    [false, "file"],
  ] as const)(
    "is in a file of its user alone where the output is kept: %s, and the setting is %s",
    async (isKept, setting) => {
      const said = await tell(isKept, setting);
      const path = join(dataDir, "first-start.txt");
      expect(said).not.toContain(SECRET);
      expect(said).toContain(`\n${path}\n`);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      // A later start, with another link: what nobody has read yet is still there.
      await tell(isKept, setting, ["the next"]);
      expect(await readFile(path, "utf8")).toBe(`\n${SECRET}\nthe next\n`);
    },
  );

  test("is said to be lost where the file can't be written, with what makes others", async () => {
    const file = join(dataDir, "no-folder");
    await writeFile(file, "");
    const said = await tell(true, "auto", [SECRET], file);
    expect(said).not.toContain(SECRET);
    expect(said).toContain("keyward owner-link\n");
    expect(said).toMatch(/could not be written to .*first-start\.txt \(ENOTDIR/);
  });

  test("is nothing at later starts", async () => {
    expect(await tell(true, "auto", [])).toBe("");
    await expect(stat(join(dataDir, "first-start.txt"))).rejects.toThrow("ENOENT");
  });
});
