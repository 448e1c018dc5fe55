/**
 * Every setting of a Keyward server, once: its name, its type, its bounds, its default and what it does. Environment
 * variables, flags, the configuration file and docs/config.md all come from here. Nothing here reads anything; the
 * only files that look at the process environment or at a disk are its neighbours in this folder.
 */
import { z } from "zod";
import { parseAllowedHost } from "../core/network/allowed-hosts.ts";
import { parseIpRange } from "../core/network/ip-ranges.ts";
import { isIssuerUrl } from "./issuer-url.ts";
import { isHttpUrl, parseOtlpHeaders } from "./otlp-pairs.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const MIB = 1024 * 1024;

declare module "zod" {
  interface GlobalMeta {
    /** Its value is never shown, in no message and no listing. */
    isSecret?: true;
    /** May not stand in a file that is easily committed. */
    isRefusedInFile?: true;
  }
}

const milliseconds = (defaultMs: number, most: number, description: string) =>
  z.int().min(1).max(most).default(defaultMs).meta({ description });

export const configSchema = z.strictObject({
  port: z
    .int()
    .min(0)
    .max(65_535)
    .default(4141)
    .meta({ description: "TCP port of the data plane and the admin API; 0 takes any free one." }),
  host: z.string().min(1).max(255).default("127.0.0.1").meta({
    description:
      "Address to listen on. The default is reachable from this machine only; `0.0.0.0` from everywhere.",
  }),
  dataDir: z.string().min(1).default(".keyward").meta({
    description:
      "Directory of the database, the journal and the root key; relative to the working directory.",
  }),
  databaseUrl: z
    .string()
    .regex(/^postgres(ql)?:\/\/\S+$/, "expected a URL that begins with postgres://")
    .nullable()
    .default(null)
    .meta({
      description: "Postgres database to use. Without it: SQLite in the data directory.",
      isSecret: true,
    }),
  rootKey: z.string().min(1).max(256).nullable().default(null).meta({
    description:
      "The vault's root key. Without it: the file `root.key` in the data directory, made at the first start.",
    isSecret: true,
    isRefusedInFile: true,
  }),
  adminToken: z
    .string()
    .min(24, "expected at least 24 characters")
    .max(256)
    .regex(/^[\x21-\x7e]*$/, "expected printable ASCII without spaces")
    .nullable()
    .default(null)
    .meta({
      description:
        "A token for the admin API, beside the one that the first start makes. At least 24 characters.",
      isSecret: true,
      isRefusedInFile: true,
    }),
  publicUrl: z
    .string()
    .regex(
      /^https?:\/\/[^\s/?#@]+\/?$/,
      "expected a URL without a path, such as https://keyward.example.com",
    )
    .nullable()
    .default(null)
    .meta({
      description:
        "How people reach the server: links to invite them begin with it. With https, the cookies of sessions go over https alone.",
    }),
  sessionIdleHours: z.int().min(1).max(8760).default(12).meta({
    description: "After how many hours without a request a member must log in again.",
  }),
  sessionMaxHours: z.int().min(1).max(8760).default(168).meta({
    description:
      "After how many hours a member must log in again, however much the session is used.",
  }),
  oidcIssuer: z
    .string()
    .max(2048)
    .refine(
      isIssuerUrl,
      "expected an issuer's URL as its provider spells it, such as https://accounts.google.com; plain http on this machine alone",
    )
    .nullable()
    .default(null)
    .meta({
      description:
        "OpenID Connect provider that members may log in with; see docs/guide/members.md. Needs `oidcClientId`, and `publicUrl` unless people are on this machine.",
    }),
  oidcClientId: z.string().min(1).max(512).nullable().default(null).meta({
    description: "What the OpenID provider calls this Keyward.",
  }),
  oidcClientSecret: z.string().min(1).max(1024).nullable().default(null).meta({
    description:
      "The secret that the OpenID provider has given out with the client id; without it Keyward is a public client.",
    isSecret: true,
    isRefusedInFile: true,
  }),
  oidcName: z.string().trim().min(1).max(40).default("SSO").meta({
    description: "What people know the OpenID provider by: the button says `Log in with …`.",
  }),
  metricsToken: z
    .string()
    .min(16, "expected at least 16 characters")
    .max(256)
    .regex(/^[\x21-\x7e]*$/, "expected printable ASCII without spaces")
    .nullable()
    .default(null)
    .meta({
      description:
        "A token for `/metrics`. Without it `/metrics` is open on a loopback address, and needs an admin token on any other.",
      isSecret: true,
      isRefusedInFile: true,
    }),
  processes: z.int().min(1).max(256).default(1).meta({
    description:
      "Processes that serve, all on the one port; about one for each core. With more than 1 a supervisor starts them, and starts those again that die.",
  }),
  import: z.boolean().default(true).meta({
    description:
      "Whether the first start takes an `OPENAI_API_KEY` that it finds into the vault, for development.",
  }),
  allowedPrivateHosts: z
    .array(
      z
        .string()
        .refine(
          (text) => parseAllowedHost(text) !== undefined,
          "expected hosts such as localhost:11434 or 10.1.2.3, without a scheme and a path, and no cloud's metadata service",
        ),
    )
    .max(1000)
    .default([])
    .meta({
      description:
        "Hosts in private networks that provider accounts may name, as `host` or `host:port`, separated by commas; without a port, every port of the host. `localhost:11434` for Ollama on this machine. Plain http is taken for these hosts alone.",
    }),
  trustedProxies: z
    .array(
      z
        .string()
        .refine(
          (text) => !("problem" in parseIpRange(text)),
          "expected IP addresses or networks such as 10.1.0.0/16",
        ),
    )
    .max(1000)
    .default([])
    .meta({
      description:
        "Addresses and networks of the proxies in front, separated by commas. Where a connection comes from one of them, the client's address is what that proxy says; nobody else is believed.",
    }),
  clientAddressHeader: z.enum(["x-forwarded-for", "forwarded"]).default("x-forwarded-for").meta({
    description:
      "The header in which trusted proxies say whose call they pass on. It must be the one that they write themselves: a client can send the other.",
  }),
  maxJsonBodyBytes: z
    .int()
    .min(1024)
    .max(512 * MIB)
    .default(32 * MIB)
    .meta({
      description:
        "Largest request body of an endpoint whose body is read. Other bodies are streamed and have no limit.",
    }),
  maxInFlightCalls: z.int().min(1).max(1_000_000).default(10_000).meta({
    description: "Calls that one process carries at a time; further ones get 503 `overloaded`.",
  }),
  maxHeldBodyBytes: z
    .int()
    .min(1024)
    .max(1024 * 1024 * MIB)
    .default(512 * MIB)
    .meta({
      description:
        "Request bodies that one process holds in memory at a time, all calls together; a call that would go beyond gets 503 `overloaded`.",
    }),
  maxConnections: z.int().min(1).max(1_000_000).default(10_000).meta({
    description:
      "Connections of clients that one process has at a time; further ones are closed at once. Less where the process may not open as many files: each call needs a second one to the provider.",
  }),
  clientHeadersTimeoutMs: milliseconds(
    60_000,
    HOUR_MS,
    "How long a client may take to send the head of a request, the first one of a new connection included.",
  ),
  clientIdleTimeoutMs: milliseconds(
    120_000,
    24 * HOUR_MS,
    "How long a client may send nothing of a request that it has begun, or take nothing of its answer.",
  ),
  clientRequestTimeoutMs: milliseconds(
    30 * MINUTE_MS,
    24 * HOUR_MS,
    "How long a client may take to send a whole request, a long upload included.",
  ),
  keepAliveTimeoutMs: milliseconds(
    75_000,
    HOUR_MS,
    "How long a connection without a request is kept. Longer than the idle time of a load balancer in front.",
  ),
  upstreamConnectTimeoutMs: milliseconds(
    10_000,
    10 * MINUTE_MS,
    "How long a connection to a provider may take to open.",
  ),
  upstreamHeadersTimeoutMs: milliseconds(
    10 * MINUTE_MS,
    24 * HOUR_MS,
    "How long a provider may take to begin its answer.",
  ),
  upstreamBodyIdleTimeoutMs: milliseconds(
    10 * MINUTE_MS,
    24 * HOUR_MS,
    "How long a provider may pause within its answer.",
  ),
  maxAttempts: z.int().min(1).max(5).default(3).meta({
    description:
      "Provider calls that one call may make: after a failure before the answer's first byte it goes to another provider key of its environment. 1 = no failover.",
  }),
  failoverMs: milliseconds(
    60_000,
    HOUR_MS,
    "No further attempt begins later than this after the call came.",
  ),
  unansweredCalls: z.enum(["keep", "repeat"]).default("keep").meta({
    description:
      "What becomes of a call that was sent and not answered (a timeout, a broken connection): `repeat` sends it once more with another provider key. The provider may have carried it out, so it can be charged twice.",
  }),
  circuitFailures: z.int().min(0).max(1000).default(5).meta({
    description:
      "Failures in a row after which a provider key is left alone for a moment; 0 = never.",
  }),
  maxStalenessMs: z
    .int()
    .min(0)
    .max(24 * HOUR_MS)
    .default(5 * MINUTE_MS)
    .meta({
      description:
        "A process that could not look for changes for so long (its database is away) refuses calls: a key may have been revoked meanwhile. 0 = it goes on with what it knows.",
    }),
  accountQueueMaxWaitMs: z
    .int()
    .min(0)
    .max(5 * MINUTE_MS)
    .default(10_000)
    .meta({
      description:
        "How long a call may wait for its provider account when that is used up to its provider's limit; then it gets 429 `provider_rate_limited`. 0 = it does not wait.",
    }),
  accountQueueMaxCalls: z.int().min(1).max(100_000).default(1_000).meta({
    description:
      "Calls that wait for one provider account and model at a time, in one process. When all places are taken, what matters least gives way.",
  }),
  shutdownGraceMs: z.int().min(0).max(HOUR_MS).default(30_000).meta({
    description: "How long calls in flight may go on after a stop was asked for.",
  }),
  durability: z.enum(["process", "disk"]).default("process").meta({
    description:
      "What the journal survives: `process` = the end of the process (also `kill -9`), `disk` = a power loss too, at the cost of an fsync a batch.",
  }),
  flushIntervalMs: milliseconds(
    200,
    MINUTE_MS,
    "How often settled calls move from the journal to the database.",
  ),
  otlpEndpoint: z
    .string()
    .max(2048)
    .refine(isHttpUrl, "expected a URL that begins with http:// or https://")
    .nullable()
    .default(null)
    .meta({
      description:
        "OpenTelemetry collector that takes traces and metrics over OTLP/HTTP, such as `http://localhost:4318`; without it, what the standard `OTEL_EXPORTER_OTLP_ENDPOINT` says. Neither: off.",
      isSecret: true,
    }),
  otlpHeaders: z
    .string()
    .max(8192)
    .refine(
      (text) => parseOtlpHeaders(text) !== undefined,
      "expected headers as name=value,name=value",
    )
    .nullable()
    .default(null)
    .meta({
      description:
        "Headers for the collector, as `name=value,name=value`, values percent-encoded; without it, those of `OTEL_EXPORTER_OTLP_HEADERS`.",
      isSecret: true,
      isRefusedInFile: true,
    }),
  firstSecrets: z.enum(["auto", "print", "file"]).default("auto").meta({
    description:
      "Where a start tells the key, the admin token and the owner's link that it has made: on standard output, or in the file `first-start.txt` of the data directory, which its user alone can read. `auto`: in the file where the output is known to be kept, in systemd's journal or as the log of a container whose first process this is.",
  }),
  logLevel: z.enum(["debug", "info", "warn", "error", "silent"]).default("info").meta({
    description: "The least severe line that is logged.",
  }),
  logCalls: z.boolean().default(false).meta({
    description:
      "Whether every provider call that has ended is a line of the log (level `info`): ids, model, tokens, cost and times, nothing of what was said.",
  }),
});

/** The settings of a server: complete, checked, frozen. `dataDir` is an absolute path. */
export type Config = Readonly<z.infer<typeof configSchema>>;
export type ConfigKey = keyof Config;

export interface Setting {
  readonly key: ConfigKey;
  /** `KEYWARD_MAX_JSON_BODY_BYTES` */
  readonly variable: string;
  /** `--max-json-body-bytes`, `--log-calls`; for a switch that is on by default its negation, `--no-import`. */
  readonly flag: string;
  readonly type: "integer" | "text" | "switch" | "list";
  /** The words it takes, where they are few. */
  readonly choices: readonly string[] | null;
  readonly defaultValue: string | number | boolean | null | readonly string[];
  readonly description: string;
  readonly isSecret: boolean;
  readonly isRefusedInFile: boolean;
}

/** All settings, in the order of the schema. */
export function listSettings(): readonly Setting[] {
  return Object.entries(configSchema.shape).map(([key, schema]) => {
    const meta = schema.meta() ?? {};
    const plain = unwrap(schema);
    const isSwitch = typeOf(plain) === "switch";
    const defaultValue = schema.parse(undefined);
    const words = key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return {
      key: key as ConfigKey,
      variable: `KEYWARD_${words.replaceAll("-", "_").toUpperCase()}`,
      flag: isSwitch && defaultValue === true ? `--no-${words}` : `--${words}`,
      type: typeOf(plain),
      choices: plain instanceof z.ZodEnum ? plain.options.map(String) : null,
      defaultValue,
      description: meta.description ?? "",
      isSecret: meta.isSecret === true,
      isRefusedInFile: meta.isRefusedInFile === true,
    };
  });
}

function typeOf(schema: z.core.$ZodType): Setting["type"] {
  if (schema instanceof z.ZodBoolean) return "switch";
  if (schema instanceof z.ZodNumber) return "integer";
  return schema instanceof z.ZodArray ? "list" : "text";
}

/** The type under a default and a null. */
function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  return schema instanceof z.ZodDefault || schema instanceof z.ZodNullable
    ? unwrap(schema.def.innerType)
    : schema;
}
