import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAdminToken } from "../../core/keys/admin-token.ts";
import { createGatewayKey } from "../../core/keys/gateway-key.ts";
import type { Log } from "../log.ts";
import { createPinoLog } from "./pino-log.ts";

interface Written {
  readonly log: Log;
  readonly lines: string[];
}

function logTo(secrets: readonly string[] = []): Written {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  return { log: createPinoLog({ level: "debug", stream, secrets }), lines };
}

const seed = (length: number): string => randomBytes(length).toString("hex").slice(0, length);

/** Key-like texts as they are in the wild, each put together here, with the part that must not be seen. */
const PLANTED: readonly (readonly [what: string, text: string, secret: string])[] = [
  ...(["development", "staging", "production"] as const).map((kind) => {
    const key = createGatewayKey(kind, randomBytes);
    return [`a gateway key of ${kind}`, key, key] as const;
  }),
  ...[createAdminToken(randomBytes)].map((token) => ["an admin token", token, token] as const),
  ...[
    ["sk", "proj", seed(40)].join("-"),
    ["sk", "svcacct", seed(40)].join("-"),
    ["sk", "ant", "api03", seed(40)].join("-"),
    ["gsk", seed(40)].join("_"),
    ["xai", seed(40)].join("-"),
    ["AIza", seed(35)].join(""),
    ["hf", seed(30)].join("_"),
    ["sk", "live", seed(24)].join("_"),
    ["ghp", seed(36)].join("_"),
    ["eyJ" + seed(20), seed(30), seed(40)].join("."),
  ].map((key) => [`a key like ${key.slice(0, 6)}`, key, key] as const),
  ...(["Bearer", "bearer", "Basic"] as const).map((scheme) => {
    const secret = seed(20);
    return [`a header with ${scheme}`, `authorization: ${scheme} ${secret}`, secret] as const;
  }),
  ...[
    "api-key",
    "x-api-key",
    "x-goog-api-key",
    "api_key",
    "apiKey",
    "password",
    "client_secret",
    "access_token",
  ].flatMap((name) => {
    const secret = seed(20);
    return [
      [`${name} with a colon`, `sent ${name}: ${secret}`, secret],
      [`${name} in a query`, `GET /v1/x?${name}=${secret}&y=1`, secret],
      [`${name} in JSON`, JSON.stringify({ [name]: secret }), secret],
      [`${name} in JSON in JSON`, JSON.stringify(JSON.stringify({ [name]: secret })), secret],
      [`${name} in a list of headers`, JSON.stringify(["accept", "*", name, secret]), secret],
    ] as const;
  }),
  ...[
    "postgres://keyward:%@db.internal/x",
    "https://user:%@example.com/v1",
    "redis://:%@cache:6379",
  ].map((url) => {
    const secret = seed(16);
    return [`a password in ${url.split("%")[0]}`, url.replace("%", secret), secret] as const;
  }),
  ...["/", "@", "#", "?"].map((odd) => {
    const secret = `${seed(8)}${odd}${seed(8)}`;
    return [
      `a database's password with a raw ${odd}`,
      `postgres://u:${secret}@db/x`,
      seed8(secret),
    ] as const;
  }),
  ...[seed(43)].flatMap((secret) => [
    ["a client token's tag", `kwc_live_${seed(200)}.${secret}`, secret] as const,
    ["a client token's claims", `kwc_dev_${secret}.${seed(43)}`, secret] as const,
  ]),
  ...[seed(24)].map(
    (secret) => ["a cookie", `cookie: theme=dark; session=${secret}`, secret] as const,
  ),
  ...[seed(64)].map((secret) => {
    const [begin, end] = ["BEGIN", "END"].map((word) => `-----${word} PRIVATE KEY-----`);
    return ["a private key", `${begin}\n${secret}\n${end}`, secret] as const;
  }),
];

function seed8(secret: string): string {
  return secret.slice(-8);
}

/** Every way in which a text gets into a line. */
const WAYS: readonly (readonly [way: string, write: (log: Log, text: string) => void])[] = [
  ["the message", (log, text) => log.info({}, text)],
  ["a field", (log, text) => log.warn({ reason: text }, "m")],
  ["a field deep inside", (log, text) => log.warn({ a: { b: [{ c: text }] } }, "m")],
  ["a field's name", (log, text) => log.warn({ a: { [text]: 1 } }, "m")],
  ["an error's message and stack", (log, text) => log.error({ err: new Error(text) }, "m")],
  [
    "the cause of a cause",
    (log, text) => {
      const cause = new Error("middle", { cause: new Error(text) });
      log.error({ err: new Error("outer", { cause }) }, "m");
    },
  ],
  [
    "a property of an error",
    (log, text) => log.error({ err: Object.assign(new Error("m"), { detail: text }) }, "m"),
  ],
  [
    "an aggregate error",
    (log, text) => log.error({ err: new AggregateError([new Error(text)], "all failed") }, "m"),
  ],
];

describe("the log", () => {
  it.each(PLANTED)("shows no %s, wherever it stands", (_what, text, secret) => {
    const { log, lines } = logTo();
    for (const [, write] of WAYS) write(log, `before ${text} behind`);
    expect(lines).toHaveLength(WAYS.length);
    for (const line of lines) {
      expect(line).not.toContain(secret);
      expect(() => JSON.parse(line) as unknown).not.toThrow();
    }
  });

  it("leaves the names of fields behind a value that is such a word", () => {
    const { log, lines } = logTo();
    const said = { subject: "adminToken", isMuted: false, list: ["x-api-key", "v"] };
    log.warn(said, "m");
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      ...said,
      list: ["x-api-key", "[redacted]"],
    });
  });

  it("shows no planted key inside any text, and every line stays JSON", () => {
    const keys = PLANTED.filter(([, text, secret]) => text === secret).map(([, text]) => text);
    // What stands beside a key in the wild is no letter of it.
    const around = fc.string({ unit: "binary", maxLength: 40 }).map((text) => ` ${text} `);
    fc.assert(
      fc.property(
        around,
        fc.constantFrom(...keys),
        around,
        fc.constantFrom(...WAYS),
        (before, key, behind, [, write]) => {
          const { log, lines } = logTo();
          write(log, `${before}${key}${behind}`);
          expect(lines[0]).not.toContain(key);
          expect(() => JSON.parse(lines[0] ?? "") as unknown).not.toThrow();
        },
      ),
      { seed: 20260131, numRuns: 400 },
    );
  });

  it("takes out what the settings hold as secrets, whatever they look like", () => {
    const secrets = ['plain words "quoted"', "tiny"];
    const { log, lines } = logTo(secrets);
    log.info({ a: `x ${secrets[0]} y` }, `tiny: ${secrets[0]}`);
    expect(lines[0]).not.toContain("plain words");
    // Too short to be taken for a secret wherever it stands.
    expect(lines[0]).toContain("tiny");
  });

  it("takes out fields that hold somebody's words or headers, by their names", () => {
    const { log, lines } = logTo();
    const words = "nobody's business";
    log.info(
      { body: words, err: { headers: { a: words }, body: words }, a: { messages: words } },
      "m",
    );
    // As undici's parser hands over what it could not read.
    log.warn({ err: Object.assign(new Error("no HTTP"), { data: `5\r\n${words}` }) }, "m");
    log.warn(
      { err: new Error("outer", { cause: Object.assign(new Error("m"), { data: words }) }) },
      "m",
    );
    log.info({ a: { prompt: words, rawHeaders: [words], b: { content: words } } }, "m");
    expect(lines.join("")).not.toContain("nobody");
  });

  it("leaves alone what is no secret", () => {
    const { log, lines } = logTo();
    const fields = {
      requestId: "req_01JZ6Y4V2S8W3N5R7T9X0B1C2D",
      // The name of a secret at its end, and a field behind it.
      code: "invalid_api_key",
      gatewayKeyId: "key_01JZ6Y4V2S8W3N5R7T9X0B1C2D",
      inputTokens: 500,
      model: "gpt-4o-mini-2024-07-18",
      path: "/v1/chat/completions",
      url: "https://api.openai.com/v1/x?y=1",
      traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
      preview: "sk-…a1b2",
      lastFour: "kw_dev_…1a2b",
    };
    const message = "the basic task of a token is secret; ask for a risk-free desk-top";
    log.info(fields, message);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ ...fields, msg: message });
  });

  it("is done with a megabyte of hostile text", () => {
    const { log, lines } = logTo();
    const hostile = [
      "sk-",
      "eyJ",
      "://",
      "postgres://a",
      "kw_dev_",
      "kwc_dev_",
      "api-key:",
      "cookie",
      "bearer ",
      '\\"',
      "-----BEGIN PRIVATE KEY-----",
      "token\\",
    ];
    for (const piece of hostile) log.warn({ a: piece.repeat(1_000_000 / piece.length) }, "m");
    expect(lines).toHaveLength(hostile.length);
  });
});
