import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { listSettings } from "../config/config-schema.ts";
import { loadConfig } from "../config/load-config.ts";
import { buildProgram, type ParsedCommand } from "./build-program.ts";
import { type Command, defineCommand } from "./command.ts";
import { NOUNS } from "./nouns.ts";
import { flagsOf, settingOptions } from "./setting-options.ts";

const things: Command = defineCommand({
  summary: "do things",
  examples: ["keyward things do"],
  reach: "admin",
  printsData: true,
  arguments: { first: { description: "" }, second: { description: "", isOptional: true } },
  options: {
    needed: { value: "text", description: "", isRequired: true },
    fallback: { value: "text", description: "", default: "usual" },
    maybeLongName: { value: "text", description: "" },
    many: { value: "text", description: "", isRepeatable: true },
    yes: { description: "" },
    noImport: { description: "" },
    forbidden: { value: "text", description: "", refusal: { message: "never", advice: "ask" } },
  },
  run: () => Promise.resolve(),
});

function parse(...argv: string[]): Promise<ParsedCommand | undefined> {
  return parseWith(new PassThrough().resume(), ...argv);
}

async function parseWith(
  stderr: PassThrough,
  ...argv: string[]
): Promise<ParsedCommand | undefined> {
  let parsed: ParsedCommand | undefined;
  const program = buildProgram({
    nouns: [
      {
        name: "things",
        group: "Access",
        summary: "things",
        load: () => Promise.resolve({ do: things }),
      },
    ],
    version: "0",
    io: {
      stdout: new PassThrough().resume(),
      stderr,
      hasColor: { stdout: false, stderr: false },
      columns: null,
    },
    onCommand: (command) => {
      parsed = command;
      return Promise.resolve();
    },
  });
  await program.parseAsync(argv, { from: "user" });
  return parsed;
}

test("a command gets exactly the values that its specs promise", async () => {
  const least = await parse("things", "do", "a", "--needed", "x");
  expect(least?.arguments).toEqual({ first: "a", second: undefined });
  expect(least?.options).toEqual({
    needed: "x",
    fallback: "usual",
    maybeLongName: undefined,
    many: [],
    yes: false,
    noImport: false,
    forbidden: undefined,
  });
  const line =
    "a b --needed x --fallback y --maybe-long-name z --many 1 --many=2 --yes --no-import";
  const most = await parse("things", "do", ...line.split(" "));
  expect(most?.arguments).toEqual({ first: "a", second: "b" });
  expect(most?.options).toEqual({
    needed: "x",
    fallback: "y",
    maybeLongName: "z",
    many: ["1", "2"],
    yes: true,
    noImport: true,
    forbidden: undefined,
  });
});

test("global options are heeded before and after the command", async () => {
  const globals = ["--url", "http://keyward.test", "--token", "t", "--json"];
  const words = ["things", "do", "a", "--needed", "x"];
  const before = await parse(...globals, ...words);
  const after = await parse(...words, ...globals);
  expect(before?.globals).toEqual({
    url: "http://keyward.test",
    token: "t",
    dataDir: undefined,
    json: true,
  });
  expect(after).toEqual(before);
});

test("what is missing is named all at once, and what is not taken before it", async () => {
  await expect(parse("things", "do", "a")).rejects.toThrow("missing: --needed <text>");
  await expect(parse("things", "do", "a", "--forbidden", "x")).rejects.toThrow("never");
  await expect(parse("things", "do", "--needed", "x")).rejects.toThrow("first");
});

test("the beginning of one option is answered with the whole of it", async () => {
  const stderr = new PassThrough();
  await expect(parseWith(stderr, "things", "do", "a", "--need", "x")).rejects.toThrow();
  await expect(parseWith(stderr, "things", "do", "a", "--m", "x")).rejects.toThrow();
  const said = String(stderr.read());
  expect(said).toContain("unknown option '--need'\n(Did you mean --needed?)");
  expect(said).toContain("unknown option '--m'\nnext:");
});

test("words that are too many are not repeated: one may be a secret", async () => {
  const words = ["things", "do", "a", "b", "hunter2", "--needed", "x"];
  await expect(parse(...words)).rejects.toMatchObject({ code: "commander.excessArguments" });
});

test("every setting of the server is a flag of start, and ends where it belongs", async () => {
  const samples: Record<string, string> = {
    databaseUrl: "postgres://db.example/keyward",
    allowedPrivateHosts: "localhost:11434",
    trustedProxies: "10.0.0.0/8",
    clientAddressHeader: "forwarded",
    adminToken: "t".repeat(24),
    metricsToken: "m".repeat(16),
    publicUrl: "https://keyward.example.com",
    otlpEndpoint: "http://collector.example:4318",
    otlpHeaders: "api-key=some-text",
    durability: "disk",
    firstSecrets: "file",
    logLevel: "error",
    processes: "1",
    maxAttempts: "4",
    circuitFailures: "7",
    unansweredCalls: "repeat",
    oidcIssuer: "https://id.example.org",
  };
  // Each of these means nothing without the other.
  const env = {
    KEYWARD_OIDC_ISSUER: "https://id.example.com",
    KEYWARD_OIDC_CLIENT_ID: "keyward",
  };
  const options = settingOptions();
  for (const { key, flag, type, defaultValue } of listSettings()) {
    if (key === "dataDir") continue;
    const name =
      type === "switch" ? flag.slice(2).replace(/-(.)/, (_, c: string) => c.toUpperCase()) : key;
    expect(options).toHaveProperty(name);
    const value = type === "switch" ? true : (samples[key] ?? "5000");
    const loaded = loadConfig({ env, flags: flagsOf({ [name]: value }), cwd: "/nowhere" });
    if ("problems" in loaded) throw new Error(JSON.stringify(loaded.problems));
    // A switch is typed to turn over what it is by default.
    const expected = type === "switch" ? String(defaultValue !== true) : value;
    expect(String(loaded.config[key])).toBe(expected);
    expect(loaded.origins[key]).toBe(flag);
  }
});

test("every noun has its own name and a group", () => {
  expect(new Set(NOUNS.map(({ name }) => name)).size).toBe(NOUNS.length);
  expect(NOUNS.every(({ group }) => group.length > 0)).toBe(true);
});
