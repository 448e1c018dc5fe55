import {
  ALERT_SECRETS_SCOPE,
  createSigningSecret,
  previewUrl,
} from "../core/alerts/alert-channel.ts";
import { parseSmtpUrl } from "../core/alerts/smtp-url.ts";
import { placeOfHost, plainHostname, type AllowedHosts } from "../core/network/allowed-hosts.ts";
import type { AlertChannelRecord } from "../store/alert-records.ts";
import type { AdminDeps } from "./admin-deps.ts";
import type { Problem } from "./answers/error-body.ts";

export interface ChannelRequest {
  readonly name: string;
  readonly kind: AlertChannelRecord["kind"];
  readonly url?: string | undefined;
  readonly smtpUrl?: string | undefined;
  readonly sender?: string | undefined;
  readonly recipients?: readonly string[] | undefined;
}

export type ChannelIntake =
  | { readonly record: AlertChannelRecord; readonly signingSecret: string | null }
  | { readonly problems: readonly Problem[] };

/** What a channel is made of: its secrets sealed, the rest to be seen. */
export async function createChannel(
  deps: Pick<AdminDeps, "vault" | "ids" | "clock" | "randomBytes" | "allowedHosts">,
  request: ChannelRequest,
): Promise<ChannelIntake> {
  const problems = problemsOf(deps.allowedHosts, request);
  if (problems.length > 0) return { problems };
  const { name, kind, url = "", smtpUrl = "", sender = null, recipients = [] } = request;
  const id = deps.ids.create("ach");
  const signingSecret = kind === "webhook" ? createSigningSecret(deps.randomBytes) : null;
  const secret =
    kind === "email" ? { smtpUrl } : { url, ...(signingSecret !== null && { signingSecret }) };
  const context = { environmentId: ALERT_SECRETS_SCOPE, secretId: id, version: 1 };
  return {
    record: {
      id,
      name,
      kind,
      sealed: await deps.vault.seal(JSON.stringify(secret), context),
      preview: kind === "email" ? previewSmtp(smtpUrl) : previewUrl(url),
      recipients,
      sender,
      isEnabled: true,
      createdAtMs: deps.clock.nowMs(),
      lastDeliveredAtMs: null,
      lastFailedAtMs: null,
      lastProblem: null,
    },
    signingSecret,
  };
}

const EMAIL_FIELDS = ["smtpUrl", "sender", "recipients"] as const;

function problemsOf(allowedHosts: AllowedHosts, request: ChannelRequest): readonly Problem[] {
  const isEmail = request.kind === "email";
  const wanted: readonly (keyof ChannelRequest)[] = isEmail ? EMAIL_FIELDS : ["url"];
  const others: readonly (keyof ChannelRequest)[] = isEmail ? ["url"] : EMAIL_FIELDS;
  const problems: Problem[] = [];
  for (const param of wanted) {
    if (request[param] === undefined) {
      problems.push({
        param,
        message: `A channel of kind \`${request.kind}\` needs \`${param}\`.`,
      });
    }
  }
  for (const param of others) {
    if (request[param] !== undefined) {
      const message = `A channel of kind \`${request.kind}\` has no \`${param}\`.`;
      problems.push({ param, message });
    }
  }
  const refusal = isEmail
    ? refusalOfSmtp(request.smtpUrl, allowedHosts)
    : refusalOfUrl(request.url, allowedHosts);
  if (refusal !== undefined) {
    const param = isEmail ? "smtpUrl" : "url";
    problems.push({ param, message: `\`${param}\` ${refusal}.` });
  }
  return problems;
}

function refusalOfUrl(text: string | undefined, allowed: AllowedHosts): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["https:", "http:"].includes(url.protocol)) {
    return "must be a URL that begins with `https://`";
  }
  if (url.username !== "" || url.password !== "") return "must not hold a user and a password";
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  const refusal = refusalOfHost({ hostname: url.hostname, port }, allowed);
  if (refusal !== undefined) return refusal;
  const isAllowed = allowed.has(plainHostname(url.hostname), port);
  if (url.protocol === "http:" && !isAllowed) {
    return "must be https: over plain http anybody on the way could read it";
  }
  return undefined;
}

function refusalOfSmtp(text: string | undefined, allowed: AllowedHosts): string | undefined {
  const server = text === undefined ? undefined : parseSmtpUrl(text);
  return server === undefined ? undefined : refusalOfHost(server, allowed);
}

/** What a public-looking name resolves to is judged at every connection. */
function refusalOfHost(
  { hostname, port }: { readonly hostname: string; readonly port: number },
  allowed: AllowedHosts,
): string | undefined {
  const place = placeOfHost(hostname);
  if (place === "metadata") return "must not be a cloud's metadata service";
  if (place === "unroutable") return "must not be an address at which there can be no server";
  if (place === "public" || allowed.has(plainHostname(hostname), port)) return undefined;
  return "leads into a private network, so its host must be allowed by name: add it to the setting `allowedPrivateHosts` (KEYWARD_ALLOWED_PRIVATE_HOSTS) and start again";
}

function previewSmtp(smtpUrl: string): string {
  const server = parseSmtpUrl(smtpUrl);
  return server === undefined ? "" : `${server.hostname}:${server.port}`;
}
