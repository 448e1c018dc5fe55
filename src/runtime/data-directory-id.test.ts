import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ids } from "../../test/support/ledger-under-test.ts";
import { readDataDirectoryId } from "./data-directory-id.ts";
import { StartError } from "./start-error.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "directory-id-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

describe("the id of a data directory", () => {
  it("is one, also for processes that make it at the same time", async () => {
    const read = () => readDataDirectoryId(directory, ids);
    const all = await Promise.all(Array.from({ length: 8 }, read));
    expect(new Set([...all, await read()]).size).toBe(1);
    expect(await readdir(directory)).toEqual(["directory.id"]);
  });

  it("is not made up anew where the file says something else", async () => {
    await writeFile(join(directory, "directory.id"), "");
    await expect(readDataDirectoryId(directory, ids)).rejects.toThrow(StartError);
  });
});
