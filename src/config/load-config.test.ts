import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listSettings } from "./config-schema.ts";
import { CONFIG_FILE_NAME, loadConfig, type ConfigSources } from "./load-config.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "keyward-config-"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

function load(sources: Partial<ConfigSources> & { file?: unknown } = {}) {
  if (sources.file !== undefined) {
    const text = typeof sources.file === "string" ? sources.file : JSON.stringify(sources.file);
    writeFileSync(join(cwd, CONFIG_FILE_NAME), text);
  }
  return loadConfig({ env: sources.env ?? {}, flags: sources.flags ?? {}, cwd });
}

function loadGood(sources: Parameters<typeof load>[0] = {}) {
  const loaded = load(sources);
  if ("problems" in loaded) throw new Error(JSON.stringify(loaded.problems));
  return loaded;
}

function problemsOf(sources: Parameters<typeof load>[0]) {
  const loaded = load(sources);
  return "problems" in loaded ? loaded.problems : [];
}

test("without any source the defaults hold, and the data directory is absolute", () => {
  const { config, origins } = loadGood();
  expect(config).toMatchObject({ port: 4141, host: "127.0.0.1", processes: 1, import: true });
  expect(config.dataDir).toBe(join(cwd, ".keyward"));
  expect(new Set(Object.values(origins))).toEqual(new Set(["default"]));
});

test("a flag beats a variable, a variable beats the file, the file beats the default", () => {
  const file = { port: 1, host: "file.example", logLevel: "warn" };
  const env = { KEYWARD_PORT: "2", KEYWARD_HOST: "env.example" };
  const { config, origins } = loadGood({ file, env, flags: { port: "3" } });
  expect(config).toMatchObject({ port: 3, host: "env.example", logLevel: "warn" });
  expect(origins).toMatchObject({
    port: "--port",
    host: "KEYWARD_HOST",
    logLevel: CONFIG_FILE_NAME,
    dataDir: "default",
  });
});

test("every setting can be set by its variable and by its flag", () => {
  const samples: Record<string, string> = {
    databaseUrl: "postgres://db.example/keyward",
    adminToken: "t".repeat(24),
    metricsToken: "m".repeat(16),
    import: "false",
    logCalls: "true",
    processes: "1",
    maxAttempts: "4",
    publicUrl: "https://keyward.example.com",
    otlpEndpoint: "http://collector.example:4318",
    otlpHeaders: "api-key=some-text",
    circuitFailures: "7",
    trustedProxies: "10.0.0.0/8",
    oidcIssuer: "https://id.example.com",
  };
  // Each of these means nothing without the other.
  const pair = { oidcIssuer: "https://id.example.com", oidcClientId: "keyward" };
  for (const { key, variable, type, choices, defaultValue } of listSettings()) {
    const other = choices?.find((choice) => choice !== defaultValue);
    const value = samples[key] ?? other ?? (type === "integer" ? "5000" : "some-text");
    const { [key as keyof typeof pair]: _, ...others } = pair;
    const flags = key.startsWith("oidc") ? others : {};
    const expected = String(loadGood({ flags: { ...flags, [key]: value } }).config[key]);
    expect(String(loadGood({ flags, env: { [variable]: value } }).config[key])).toBe(expected);
    expect(expected).toContain(value);
  }
});

test("hosts in private networks are a list: in a variable with commas, in the file as JSON", () => {
  const hosts = ["localhost:11434", "10.1.2.3"];
  const env = { KEYWARD_ALLOWED_PRIVATE_HOSTS: "localhost:11434, 10.1.2.3" };
  expect(loadGood().config.allowedPrivateHosts).toEqual([]);
  expect(loadGood({ env }).config.allowedPrivateHosts).toEqual(hosts);
  expect(loadGood({ file: { allowedPrivateHosts: hosts } }).config.allowedPrivateHosts).toEqual(
    hosts,
  );
  for (const host of ["http://localhost:11434/v1", "169.254.169.254", "a,,b", "*"]) {
    const [problem] = problemsOf({ env: { KEYWARD_ALLOWED_PRIVATE_HOSTS: host } });
    expect(problem?.message).toContain("expected hosts such as localhost:11434");
  }
  expect(problemsOf({ file: { allowedPrivateHosts: "localhost" } })[0]?.message).toContain("list");
});

test("an empty variable is one that is not set", () => {
  expect(loadGood({ env: { KEYWARD_PORT: "", KEYWARD_ROOT_KEY: "" } }).config.port).toBe(4141);
});

test("all problems of all sources are reported at once, each with its source", () => {
  const problems = problemsOf({
    flags: { host: "" },
    env: { KEYWARD_PORT: "70000", KEYWARD_IMPORT: "perhaps", KEYWARD_PROT: "1" },
    file: { maxInFlightCals: 5, flushIntervalMs: "soon", adminToken: "in a file" },
  });
  expect(problems.map((problem) => problem.source).toSorted()).toEqual([
    "--host",
    "KEYWARD_IMPORT",
    "KEYWARD_PORT",
    "KEYWARD_PROT",
    `adminToken in ${CONFIG_FILE_NAME}`,
    `flushIntervalMs in ${CONFIG_FILE_NAME}`,
    `maxInFlightCals in ${CONFIG_FILE_NAME}`,
  ]);
  const text = problems.map((problem) => problem.message).join("\n");
  expect(text).toContain("expected a whole number from 0 to 65535; got 70000");
  expect(text).toContain("did you mean KEYWARD_PORT?");
  expect(text).toContain("did you mean maxInFlightCalls?");
  expect(text).toContain("set KEYWARD_ADMIN_TOKEN instead");
});

test("a number of processes that no machine has cores for is refused", () => {
  const [problem] = problemsOf({ env: { KEYWARD_PROCESSES: "257" } });
  expect(problem?.message).toContain("from 1 to 256");
});

test.each(["", "1.5", "1e3", "0x10", " 80", "٣", "99999999999999999999"])(
  "%j is no port",
  (port) => {
    expect(problemsOf({ flags: { port } })).toHaveLength(1);
  },
);

test("no message repeats a secret, wherever it stands and whatever is wrong with it", () => {
  const secret = "hunter two";
  const problems = [
    ...problemsOf({ env: { KEYWARD_ADMIN_TOKEN: secret, KEYWARD_DATABASE_URL: secret } }),
    ...problemsOf({ file: { rootKey: secret } }),
    ...problemsOf({ file: `{"rootKey": "${secret}", oops` }),
    ...problemsOf({ file: secret }),
  ];
  expect(problems.length).toBeGreaterThanOrEqual(5);
  expect(JSON.stringify(problems)).not.toContain("hunter");
});

test("a file that is not one JSON object, or cannot be read, is a problem and not a default", () => {
  expect(problemsOf({ file: "[]" })[0]?.message).toContain("one JSON object");
  expect(problemsOf({ file: "{\n  port: 1}" })[0]?.message).toContain("line 2 column 3");
  rmSync(join(cwd, CONFIG_FILE_NAME));
  mkdirSync(join(cwd, CONFIG_FILE_NAME));
  expect(problemsOf({})[0]?.message).toContain("EISDIR");
});

test("the result is frozen", () => {
  const { config } = loadGood();
  expect(() => Object.assign(config, { port: 1 })).toThrow(TypeError);
});

test("the client's own variable is no mistake", () => {
  expect(loadGood({ env: { KEYWARD_URL: "http://127.0.0.1:4141" } }).config.port).toBe(4141);
});

test("an issuer is https, or on this machine, and needs a client id, as that needs an issuer", () => {
  const id = { KEYWARD_OIDC_CLIENT_ID: "keyward" };
  const issuers = ["https://id.example.com/realms/a", "http://127.0.0.1:8080", "http://[::1]:80/x"];
  for (const issuer of issuers) {
    const { config } = loadGood({ env: { ...id, KEYWARD_OIDC_ISSUER: issuer } });
    expect(config.oidcIssuer).toBe(issuer);
  }
  for (const issuer of [
    "http://id.example.com",
    "http://127.0.0.1.example.com",
    "https://a:b@id.example.com",
    "https://id.example.com?tenant=1",
    "https://id.example.com#x",
    "ftp://id.example.com",
    "id.example.com",
  ]) {
    expect([issuer, problemsOf({ env: { ...id, KEYWARD_OIDC_ISSUER: issuer } })]).toMatchObject([
      issuer,
      [{ source: "KEYWARD_OIDC_ISSUER" }],
    ]);
  }
  const [needsId] = problemsOf({ env: { KEYWARD_OIDC_ISSUER: "https://id.example.com" } });
  expect(needsId).toMatchObject({
    source: "oidcIssuer",
    message: expect.stringContaining("KEYWARD_OIDC_CLIENT_ID") as string,
  });
  expect(problemsOf({ env: id })).toMatchObject([{ source: "oidcClientId" }]);
});
