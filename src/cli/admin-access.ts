import { createAdminClient, type AdminClient } from "../admin/client.ts";
import type { Config } from "../config/config-schema.ts";
import type { Environment } from "../config/process-environment.ts";
import { isLoopback } from "../core/network/loopback.ts";
import { CliError } from "./cli-error.ts";
import type { AdminScope, GlobalOptions } from "./command.ts";
import { readVersion } from "./version.ts";

/** The admin API, wherever it is, for the length of one command. */
export interface AdminAccess {
  readonly client: AdminClient;
  close(): Promise<void>;
}

export interface AccessRequest {
  readonly scope: AdminScope;
  readonly globals: Pick<GlobalOptions, "url" | "token" | "dataDir">;
  readonly env: Environment;
  /** The settings of the server here; asked for only where the data directory is used. */
  readonly config: () => Promise<Config>;
  readonly warn: (text: string) => void;
}

/**
 * `--url` before `--data-dir` before KEYWARD_URL before the data directory of the settings. Over HTTP it needs a
 * token; on the data directory it needs none: whoever can read the database and the root key is the owner.
 */
export async function openAdminAccess(request: AccessRequest): Promise<AdminAccess> {
  const { globals, env } = request;
  if (globals.url !== undefined && globals.dataDir !== undefined) {
    throw new CliError("--url and --data-dir name two different places", {
      isUsage: true,
      advice: "leave one of them out",
    });
  }
  const fromEnvironment = globals.dataDir === undefined ? env["KEYWARD_URL"] : undefined;
  const url = globals.url ?? (fromEnvironment === "" ? undefined : fromEnvironment);
  if (url !== undefined) return openRemote(parseServerUrl(url), request);
  if (request.scope === "server") return openServerHere(request);
  if (globals.token !== undefined) {
    throw new CliError("--token needs --url: the data directory here asks for no token", {
      isUsage: true,
    });
  }
  if (request.scope === "prices") {
    const { openLocalPrices } = await import("../runtime/local-prices.ts");
    return await openLocalPrices(await request.config());
  }
  const { openLocalAdmin } = await import("../runtime/local-admin.ts");
  return openLocalAdmin(await request.config(), {
    version: readVersion(),
    onFault: (error) => request.warn(error instanceof Error ? (error.stack ?? "") : String(error)),
  });
}

/** The server on the data directory, else that of the settings; asked for as any other is: what it knows is in no data directory. */
async function openServerHere(request: AccessRequest): Promise<AdminAccess> {
  const { findServerHere } = await import("./server-here.ts");
  const { url, answerer } = await findServerHere(await request.config());
  const { kind } = answerer;
  if (kind === "keyward") return openRemote(new URL(url), request);
  throw new CliError(
    kind === "nobody" ? `no server runs at ${url}` : `what answers at ${url} is no Keyward`,
    { advice: "`keyward start` starts one here; `--url` names another" },
  );
}

function openRemote(url: URL, request: AccessRequest): AdminAccess {
  const { globals, env, warn, scope } = request;
  if (scope === "public") return accessOf(url, undefined);
  const token = globals.token ?? env["KEYWARD_ADMIN_TOKEN"];
  if (token === undefined || token === "") {
    throw new CliError(`the admin API of ${url.origin} needs a token`, {
      advice: "set KEYWARD_ADMIN_TOKEN; the first start of the server printed it",
    });
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    warn(`the admin token goes to ${url.host} over an unencrypted connection; use https`);
  }
  return accessOf(url, token);
}

function accessOf(url: URL, token: string | undefined): AdminAccess {
  const baseUrl = url.href.replace(/\/+$/, "");
  const client = createAdminClient({ baseUrl, token, fetch: fetchFrom(url) });
  return { client, close: () => Promise.resolve() };
}

function parseServerUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const hasCredentials = url !== undefined && url.username + url.password !== "";
  if (url === undefined || !/^https?:$/.test(url.protocol) || hasCredentials) {
    // Not repeated: what was typed may hold a password.
    throw new CliError("expected the URL of a server, such as http://127.0.0.1:4141", {
      isUsage: true,
      advice: hasCredentials
        ? "the admin token goes into KEYWARD_ADMIN_TOKEN"
        : "name it with --url",
    });
  }
  url.search = "";
  url.hash = "";
  // The two mistakes that everybody makes: the URL of the data plane, and the one of the admin API.
  url.pathname = url.pathname.replace(/\/(?:api\/)?v1\/?$/, "/");
  return url;
}

/** What the admin API answers with. */
const CONTENT_TYPES = /^(application\/(json|x-ndjson)|text\/csv)\b/;

/** Fetch with words for a server that is not there, or is no Keyward. The token follows no redirect. */
function fetchFrom({ origin }: URL): (request: Request) => Promise<Response> {
  return async (request) => {
    const response = await fetch(request, { redirect: "manual" }).catch((cause: unknown) => {
      throw new CliError(`no answer from ${origin}${reasonOf(cause)}`, {
        advice: "is the server running? `keyward start` starts one here; `--url` names another",
        cause,
      });
    });
    const location = response.headers.get("location");
    if (response.status >= 300 && response.status < 400 && location !== null) {
      throw new CliError(`${origin} sends on to ${new URL(location, origin).origin}`, {
        advice: "name that one with --url, if it is yours",
      });
    }
    const contentType = response.headers.get("content-type") ?? "nothing";
    if (!CONTENT_TYPES.test(contentType)) {
      throw new CliError(
        `${origin} is no Keyward, or something stands before it: it answered ${response.status} with ${contentType}`,
        { advice: "check --url" },
      );
    }
    return response;
  };
}

/** ` (ECONNREFUSED)`, from what fetch wraps twice. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (typeof cause !== "object" || cause === null || !("code" in cause)) return "";
  return ` (${String(cause.code)})`;
}
