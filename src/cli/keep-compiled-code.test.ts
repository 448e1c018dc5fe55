import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findCodeFolder, type RunningUser } from "./keep-compiled-code.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "keyward-code-"));
});
afterEach(() => rmSync(home, { recursive: true }));

const user = (change: Partial<RunningUser> = {}): RunningUser => ({
  env: { HOME: home },
  platform: "linux",
  uid: process.geteuid?.(),
  ...change,
});

test("compiled code is kept among the user's own caches, in a folder for nobody else", () => {
  const folder = findCodeFolder(user());
  expect(folder).toBe(join(home, ".cache", "keyward"));
  expect(statSync(folder ?? "").mode & 0o777).toBe(0o700);
  expect(findCodeFolder(user())).toBe(folder);
  const env = { HOME: home, XDG_CACHE_HOME: join(home, "caches") };
  expect(findCodeFolder(user({ env }))).toBe(join(home, "caches", "keyward"));
});

test("nothing is taken from a folder that others can write to, or that belongs to somebody else", () => {
  const folder = findCodeFolder(user()) ?? "";
  expect(findCodeFolder(user({ uid: (process.geteuid?.() ?? 0) + 1 }))).toBeUndefined();
  chmodSync(folder, 0o770);
  expect(findCodeFolder(user())).toBeUndefined();
  chmodSync(folder, 0o702);
  expect(findCodeFolder(user())).toBeUndefined();
});

test("a link to another place is not followed", () => {
  mkdirSync(join(home, "elsewhere"), { mode: 0o700 });
  mkdirSync(join(home, ".cache"));
  symlinkSync(join(home, "elsewhere"), join(home, ".cache", "keyward"));
  expect(findCodeFolder(user())).toBeUndefined();
});

test("where no folder can be, a start goes on without", () => {
  writeFileSync(join(home, "file"), "");
  for (const place of [join(home, "file"), join(home, "no", "where"), "/proc", "relative", ""]) {
    expect(findCodeFolder(user({ env: { HOME: place } })), place).toBeUndefined();
  }
});
