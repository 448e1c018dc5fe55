import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { prepareDataDirectory } from "./data-directory.ts";
import { StartError } from "./start-error.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "keyward-directory-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe("prepareDataDirectory", () => {
  it("makes every directory of the path for its owner only and out of git, and is content with one that is there", async () => {
    const path = join(root, "a", "b");
    await prepareDataDirectory(path);
    await prepareDataDirectory(path);
    expect(await readFile(join(path, ".gitignore"), "utf8")).toBe("*\n");
    for (const made of [path, join(root, "a")]) expect((await stat(made)).mode & 0o777).toBe(0o700);
  });

  it("says what is wrong with a path that cannot be a directory, and what to do", async () => {
    await writeFile(join(root, "file"), "");
    for (const path of [join(root, "file"), join(root, "file", "below")]) {
      const error = await prepareDataDirectory(path).then(
        () => undefined,
        (err: unknown) => err,
      );
      expect(error).toBeInstanceOf(StartError);
      expect(error).toMatchObject({
        message: expect.stringContaining("is a file, not a directory"),
      });
    }
  });

  it.runIf(process.platform === "linux")("gives up where no directory can be made", async () => {
    await expect(prepareDataDirectory("/proc/keyward/data")).rejects.toThrow(
      "cannot be made there",
    );
  });
});
