/** The first minutes with Keyward, and the ways in which a start can go wrong: one clear error, nothing changed. */
import { execFile } from "node:child_process";
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectData } from "../../src/admin/client.ts";
import {
  adminOf,
  createHome,
  readFirstSecrets,
  type Home,
  type KeywardProcess,
} from "../support/keyward-process.ts";
import { startUpstream } from "../support/upstream.ts";

const run = promisify(execFile);

let home: Home;
beforeEach(async () => {
  home = await createHome();
});
afterEach(() => home.remove());

const dataDir = (): string => join(home.directory, ".keyward");

/** Every file with its content, to show that nothing was changed. */
async function contents(directory: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files[path] = (await readFile(path)).toString("base64");
  }
  return files;
}

/** The banner from the line that announces it to the next blank line after its text. */
function snippet(keyward: KeywardProcess, announcement: string): string {
  const [, after = ""] = keyward.stdout().split(`${announcement}\n\n`);
  return after.split("\n\n")[0] ?? "";
}

const failure = (...args: readonly string[]) => home.spawn("start", ...args);

describe("the first start", () => {
  it("makes a private data directory, and prints lines and snippets that work as pasted", async () => {
    const keyward = await home.start();
    expect((await stat(dataDir())).mode & 0o777).toBe(0o700);
    expect((await stat(join(dataDir(), "root.key"))).mode & 0o777).toBe(0o600);
    expect((await stat(join(dataDir(), "keyward.db"))).mode & 0o777).toBe(0o600);
    expect(keyward.stdout()).toContain("the built-in simulator answers");
    const options = { cwd: home.directory, env: home.env };
    const curl = await run("bash", ["-c", snippet(keyward, "Try it with curl:")], options);
    expect(JSON.parse(curl.stdout)).toMatchObject({ object: "chat.completion" });
    const node = await run("bash", ["-c", snippet(keyward, "or with Node:")], options);
    expect(node.stdout.trim()).not.toBe("");
    expect(keyward.stdout()).toMatch(new RegExp(`^${keyward.url}/join#kw_invite_\\w{49}$`, "m"));
    await keyward.stop();
    expect(await keyward.exited()).toBe(0);

    const second = await home.start();
    expect(second.output()).not.toMatch(/kw_(dev|admin|invite)_\w{20,}/);
    expect(second.stdout()).toContain("There is no owner yet");
    // The settings here know nothing of the port that it was started on.
    const { stdout } = await home.spawn("owner-link");
    expect(stdout).toMatch(new RegExp(`^${second.url}/join#kw_invite_`));
  });

  it("tells at a later start of a key that it finds and does not take in", async () => {
    const first = await home.start();
    await first.stop();
    await first.exited();
    const secret = ["sk", "p".repeat(40)].join("-");
    await writeFile(join(home.directory, ".env.local"), `OPENAI_API_KEY=${secret}\n`);
    const second = await home.start();
    expect(second.stdout()).toMatch(/found sk-\S*pppp in \.env\.local, not taken in/);
    expect(second.stdout()).toContain("keyward provider-accounts create");
    expect(second.output()).not.toContain(secret);
    expect(second.stdout()).toContain("the built-in simulator answers");
  });

  it("takes the app's key into the vault for development alone, and says where it was", async () => {
    const upstream = await startUpstream((_req, res) => {
      res.setHeader("content-type", "application/json");
      res.end(JSON.stringify({ object: "list", data: [] }));
    });
    const secret = ["sk", "p".repeat(40)].join("-");
    const lines = [`OPENAI_API_KEY=${secret}`, `OPENAI_BASE_URL=${upstream.url}/v1`];
    await writeFile(join(home.directory, ".env.local"), lines.join("\n"));
    const keyward = await home.start();
    expect(keyward.stdout()).toContain("found sk-");
    expect(keyward.stdout()).toContain("in .env.local");
    expect(keyward.stdout()).toContain("it seems to belong to a person");
    expect(keyward.output()).not.toContain(secret);
    const { baseUrl, gatewayKey, adminToken } = readFirstSecrets(keyward);
    const admin = adminOf(keyward, adminToken);
    const { data } = expectData(await admin.GET("/provider-keys", { params: { query: {} } }));
    expect(data.map((key) => key.environment)).toEqual(["development"]);
    await fetch(`${baseUrl}/models`, { headers: { authorization: `Bearer ${gatewayKey}` } });
    expect(upstream.seen[0]?.headers["authorization"]).toBe(`Bearer ${secret}`);
    await upstream.close();
  });

  it("leaves the app's key alone with --no-import, and a Keyward key always", async () => {
    await writeFile(join(home.directory, ".env"), `OPENAI_API_KEY=sk-${"q".repeat(40)}\n`);
    const keyward = await home.start({ args: ["--no-import"] });
    expect(keyward.stdout()).toContain("the built-in simulator answers");
    const { gatewayKey } = readFirstSecrets(keyward);
    await keyward.stop();
    await rm(dataDir(), { recursive: true });
    await writeFile(join(home.directory, ".env"), `OPENAI_API_KEY=${gatewayKey}\n`);
    const again = await home.start();
    expect(again.stdout()).toContain("is a Keyward key");
    expect(again.stdout()).toContain("the built-in simulator answers");
  });
});

describe("a start that cannot be", () => {
  it("names the busy port and another one, and makes nothing", async () => {
    const other = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => {
      other.listen(0, "127.0.0.1", resolve);
    });
    const { port } = other.address() as { port: number };
    const { code, stderr, stdout } = await failure("--port", String(port));
    expect(code).toBe(1);
    expect(stderr).toContain(`Port ${port} on 127.0.0.1 is in use`);
    expect(stderr).toContain(`--port ${port + 1}`);
    expect(stdout).toBe("");
    await expect(stat(dataDir())).rejects.toThrow("ENOENT");
    await new Promise((resolve) => {
      other.close(resolve);
    });
  });

  it("says that a data directory cannot be written", async () => {
    await writeFile(join(home.directory, "file"), "");
    const { code, stderr } = await failure("--port", "0", "--data-dir", "file/data");
    expect(code).toBe(1);
    expect(stderr).toContain("is a file, not a directory");
    expect(stderr).toContain("--data-dir");
  });

  it("names the root key that is needed when another one is there, and when none is", async () => {
    const keyward = await home.start();
    await keyward.stop();
    const rootKey = join(dataDir(), "root.key");
    const right = await readFile(rootKey);
    await writeFile(rootKey, Buffer.alloc(32, 1).toString("base64"));
    const before = await contents(dataDir());
    const wrong = await failure("--port", "0");
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/needs root key rtk_\w{26} with fingerprint [0-9a-f]{16}/);
    expect(await contents(dataDir())).toEqual(before);
    await rm(rootKey);
    const missing = await failure("--port", "0");
    expect(missing.stderr).toMatch(/root key rtk_\w{26} \(fingerprint [0-9a-f]{16}\)/);
    await expect(stat(rootKey)).rejects.toThrow("ENOENT");
    await writeFile(rootKey, right, { mode: 0o644 });
    await chmod(rootKey, 0o644);
    expect((await failure("--port", "0")).stderr).toContain("chmod 600");
    await chmod(rootKey, 0o600);
    await home.start();
  });

  it("refuses a database that a newer Keyward has used, and leaves it alone", async () => {
    await mkdir(dataDir(), { mode: 0o700 });
    const keyward = await home.start();
    await keyward.stop();
    const database = new DatabaseSync(join(dataDir(), "keyward.db"));
    database.exec("insert into keyward_schema (version, name) values (999, 'from the future')");
    database.close();
    const before = await contents(dataDir());
    const { code, stderr } = await failure("--port", "0");
    expect(code).toBe(1);
    expect(stderr).toContain("schema 999");
    expect(stderr).toContain("newer Keyward");
    expect(await contents(dataDir())).toEqual(before);
  });

  it("names what is in the way of the journal or the database, and shows no secret that would be lost", async () => {
    await mkdir(dataDir(), { mode: 0o700 });
    await writeFile(join(dataDir(), "journal"), "not a folder");
    const blocked = await failure("--port", "0");
    expect(blocked.code).toBe(1);
    expect(blocked.stderr).toContain("The journal in");
    expect(blocked.stderr).not.toContain("please report it");
    expect(blocked.stdout).toBe("");
    await rm(join(dataDir(), "journal"));
    const keyward = await home.start();
    expect(readFirstSecrets(keyward).gatewayKey).toMatch(/^kw_dev_/);
  });

  it("reports every wrong setting at once, with the nearest name", async () => {
    home.env["KEYWARD_PROT"] = "1";
    home.env["KEYWARD_DURABILITY"] = "paper";
    const { code, stderr } = await failure();
    expect(code).toBe(2);
    expect(stderr).toContain("KEYWARD_PORT");
    expect(stderr).toContain("process, disk");
  });
});
