import { randomInt } from "node:crypto";
import type { AskJson, JsonReply } from "../../providers/key-administration.ts";
import type { Provider } from "../../providers/provider.ts";
import { targetOf } from "../provider-target.ts";
import type { AccountDesk } from "./account-desk.ts";

/** What a provider says to a call with a secret. */
export type ProbeAnswer =
  | {
      readonly kind: "works";
      /** Whose it is by the answer's headers, where they say so. */
      readonly organization: string | undefined;
      readonly project: string | undefined;
    }
  /** The answer proves nothing of the secret, for this reason: whether it works has to be seen in use. */
  | { readonly kind: "unclear"; readonly reason: string }
  | {
      readonly kind: "refused";
      /** Whether it said that the secret itself is none, or no more; undefined where its answers do not tell. */
      readonly isOfSecret: boolean | undefined;
    }
  | {
      readonly kind: "trouble";
      readonly problem: string;
      readonly retryAfterMs?: number | undefined;
    };

/** Costs nothing at any provider, and every one that has an API like OpenAI's has it. */
const FREE_PATH = "/models";
/** Not allowed, or not there: a key may be restricted to what it is made for. */
const UNCLEAR: ReadonlySet<number> = new Set([400, 403, 404, 405, 501]);

/**
 * Makes a real call that costs nothing. An answer counts where a made-up secret does not get it, too: some providers show
 * everybody what models they have.
 */
export async function probeSecret(
  ask: AskJson,
  desk: AccountDesk,
  secret: string,
): Promise<ProbeAnswer> {
  const answer = readReply(await callWith(ask, desk, secret), desk.provider);
  if (answer.kind !== "works") return answer;
  const control = readReply(await callWith(ask, desk, madeUpLike(secret)), desk.provider);
  if (control.kind === "trouble") return control;
  if (control.kind !== "works") return answer;
  return { kind: "unclear", reason: "the provider answers the test call with any secret" };
}

async function callWith(
  ask: AskJson,
  { account, provider, baseUrl }: AccountDesk,
  secret: string,
): Promise<JsonReply> {
  const { organizationId, providerProjectId, apiVersion } = account;
  const url = new URL(baseUrl);
  const basePath = url.pathname.replace(/\/+$/, "");
  const { origin } = url;
  const target = targetOf({ provider, origin, basePath, apiVersion, path: FREE_PATH });
  return await ask({
    method: "GET",
    url: origin + target,
    headers: [
      ...(provider.defaultHeaders ?? []),
      ...provider.authHeaders({ secret, organizationId, projectId: providerProjectId }),
    ],
  });
}

function readReply(
  reply: JsonReply,
  { badSecretCodes }: Pick<Provider, "badSecretCodes">,
): ProbeAnswer {
  if (reply.kind === "unreachable") return { kind: "trouble", problem: reply.problem };
  const { status, headers, body, retryAfterMs } = reply;
  if (status >= 200 && status < 300) {
    return {
      kind: "works",
      organization: headers.get("openai-organization"),
      project: headers.get("openai-project"),
    };
  }
  if (status === 401) {
    const code = codeOf(body);
    const isTold = code !== undefined && badSecretCodes !== undefined;
    return { kind: "refused", isOfSecret: isTold ? badSecretCodes.has(code) : undefined };
  }
  if (UNCLEAR.has(status)) {
    return { kind: "unclear", reason: `the provider answered ${status} to the test call` };
  }
  const problem = `the provider answered ${status} to a call with the new secret`;
  return { kind: "trouble", problem, retryAfterMs };
}

/** `error.code`, as OpenAI's API and those like it say it. */
function codeOf(body: unknown): string | undefined {
  const code = (body as { readonly error?: { readonly code?: unknown } | null } | null | undefined)
    ?.error?.code;
  return typeof code === "string" ? code : undefined;
}

const DIGITS = "0123456789";
const LOWER = "abcdefghijklmnopqrstuvwxyz";
/** What says of what kind a secret is, `sk-proj-`. */
const KIND = /^(?:[A-Za-z0-9]{1,8}[-_])+/;

/** Of the same kind and length; every letter and digit after that is another one. */
export function madeUpLike(secret: string): string {
  const kind = KIND.exec(secret)?.[0] ?? "";
  return kind + secret.slice(kind.length).replaceAll(/[A-Za-z0-9]/g, another);
}

function another(character: string): string {
  const set = [DIGITS, LOWER, LOWER.toUpperCase()].find((one) => one.includes(character)) ?? DIGITS;
  const at = set.indexOf(character) + randomInt(1, set.length);
  return set.charAt(at % set.length);
}
