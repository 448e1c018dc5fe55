import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { isSingleCommand } from "./command.ts";
import { keys } from "./commands/keys.ts";
import { complete } from "./complete.ts";
import { COMPLETION_SCRIPTS } from "./completion-scripts.ts";
import { NOUNS } from "./nouns.ts";

const MAIN = join(import.meta.dirname, "main.ts");
const run = promisify(execFile);
// Processes start slowly on a machine that is busy.
vi.setConfig({ testTimeout: 60_000 });

async function values(...words: string[]): Promise<string[]> {
  return (await complete(NOUNS, words)).map(({ value }) => value);
}

describe("completions", () => {
  test("are the nouns first, and the verbs of the noun then", async () => {
    expect(await values("")).toEqual(NOUNS.map(({ name }) => name));
    expect(await values("prov")).toEqual([
      "providers",
      "provider-accounts",
      "provider-keys",
      "provision",
      "provisions",
    ]);
    expect(await values("keys", "")).toEqual(Object.keys(keys));
    expect(await values("keys", "c")).toEqual(["create"]);
  });

  test("know every verb of every noun, and every option of every command", async () => {
    for (const noun of NOUNS) {
      const commands = await noun.load();
      const all = isSingleCommand(commands) ? { "": commands } : commands;
      for (const [verb, command] of Object.entries(all)) {
        const words = verb === "" ? [noun.name] : [noun.name, verb];
        if (verb !== "") expect(await values(noun.name, "")).toContain(verb);
        const flags = await values(...words, "--");
        expect(flags).toContain("--help");
        expect(flags.includes("--json")).toBe(command.printsData);
        expect(flags.includes("--url")).toBe(command.reach === "admin");
        for (const [name, spec] of Object.entries(command.options)) {
          const flag = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
          expect(flags.includes(flag)).toBe(spec.refusal === undefined);
        }
      }
    }
  });

  test("are the words that an option or an argument takes", async () => {
    const kinds = ["development", "staging", "production"];
    expect(await values("environments", "create", "--kind", "")).toEqual(kinds);
    expect(await values("environments", "create", "--kind", "st")).toEqual(["staging"]);
    expect(await values("completion", "")).toEqual(["bash", "zsh", "fish"]);
    expect(await values("keys", "create", "--name", "")).toEqual([]);
  });

  test("do not offer an option twice, unless it may be repeated", async () => {
    const flags = await values("keys", "create", "--name", "x", "--model", "m", "--");
    expect(flags).not.toContain("--name");
    expect(flags).toContain("--model");
  });

  test("find the noun behind global options and their values", async () => {
    expect(await values("--url", "http://keyward.test", "--json", "keys", "rev")).toEqual([
      "revoke",
    ]);
    expect(await values("--url=http://keyward.test", "cust")).toEqual(["customers"]);
  });

  test("are none where no command begins so", async () => {
    expect(await values("nothing", "")).toEqual([]);
    expect(await values("keys", "nothing", "--")).toEqual([]);
    expect(await values("keys", "toString", "")).toEqual([]);
  });
});

describe("the scripts", () => {
  test("bash, the real one, offers what the client says", async () => {
    const folder = mkdtempSync(join(tmpdir(), "keyward-completion-"));
    try {
      const client = join(folder, "keyward");
      writeFileSync(client, `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
      chmodSync(client, 0o755);
      const ask = async (...words: string[]): Promise<string[]> => {
        const line = words.map((word) => `'${word}'`).join(" ");
        const script = `${COMPLETION_SCRIPTS.bash}
          COMP_WORDS=(keyward ${line}); COMP_CWORD=${words.length}
          _keyward; printf '%s\\n' "\${COMPREPLY[@]}"; complete -p keyward`;
        const env = { PATH: `${folder}:${process.env["PATH"]}` };
        const { stdout } = await run("bash", ["--norc", "-c", script], { env });
        return stdout.trim().split("\n");
      };
      const registration = "complete -o default -F _keyward keyward";
      const verbs = ["events", "summary", "refusals", "pending", "retry", "export", registration];
      expect(await ask("usage", "")).toEqual(verbs);
      expect(await ask("usage", "export", "--format", "")).toEqual(["csv", "jsonl", registration]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each(Object.entries(COMPLETION_SCRIPTS))("%s asks `keyward complete`", (_, script) => {
    expect(script).toContain("keyward complete -- ");
    expect(script).not.toContain("undefined");
  });
});
