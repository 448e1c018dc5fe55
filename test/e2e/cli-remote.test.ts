/** The client over HTTP and in process, beside a server that runs on the same data. */
import { afterEach, expect, test, vi } from "vitest";
import { createHome, type Home, readFirstSecrets } from "../support/keyward-process.ts";

vi.setConfig({ testTimeout: 120_000 });
let home: Home;
afterEach(() => home.remove());

test("both ways see and do the same, and a revoked token is refused at once", async () => {
  home = await createHome();
  const keyward = await home.start();
  const { adminToken } = readFirstSecrets(keyward);
  const remote = ["--url", keyward.url, "--token", adminToken];

  const created = await home.spawn("projects", "create", "--name", "bot", "--json", ...remote);
  expect(created).toMatchObject({ code: 0, stderr: "" });
  const listed = await home.spawn("projects", "list", "--json");
  expect(listed).toEqual(await home.run("projects", "list", "--json", ...remote));
  for (const words of [
    ["projects", "list", "--json"],
    ["keys", "list", "--json"],
    ["environments", "list"],
    ["usage", "summary", "--by", "model", "--json"],
    ["prices", "list", "--model", "gpt-4o", "--json"],
  ]) {
    const here = await home.run(...words);
    const there = await home.run(...words, ...remote);
    expect(there).toEqual(here);
    expect(here.code).toBe(0);
  }

  const status = await home.run("status", ...remote);
  expect(status.stdout).toMatch(/^server +running since /m);
  const local = await home.run("status");
  expect(local.stdout).toMatch(/^server +running/m);
  const json = await home.run("status", "--json");
  expect(JSON.parse(json.stdout)).toMatchObject({ isRunning: true });

  const rotated = await home.run("admin-token", "rotate", "--yes");
  expect(rotated.code).toBe(0);
  const refused = await home.run("projects", "list", ...remote);
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  const renewed = ["--url", keyward.url, "--token", rotated.stdout.trim()];
  expect(await home.run("projects", "list", ...renewed)).toMatchObject({ code: 0 });
});
