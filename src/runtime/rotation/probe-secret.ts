import type { AskJson } from "../../providers/key-administration.ts";
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
  /** It was not refused, but what was asked for is not to be had with it: whether it works has to be seen in use. */
  | { readonly kind: "unclear"; readonly status: number }
  | { readonly kind: "refused" }
  | {
      readonly kind: "trouble";
      readonly problem: string;
      readonly retryAfterMs?: number | undefined;
    };

/** Costs nothing at any provider, and every one that has an API like OpenAI's has it. */
const FREE_PATH = "/models";
/** Not allowed, or not there: a key may be restricted to what it is made for. */
const UNCLEAR: ReadonlySet<number> = new Set([400, 403, 404, 405, 501]);

/** Makes a real call that costs nothing. */
export async function probeSecret(
  ask: AskJson,
  { account, provider, baseUrl }: AccountDesk,
  secret: string,
): Promise<ProbeAnswer> {
  const { organizationId, providerProjectId, apiVersion } = account;
  const url = new URL(baseUrl);
  const basePath = url.pathname.replace(/\/+$/, "");
  const { origin } = url;
  const target = targetOf({ provider, origin, basePath, apiVersion, path: FREE_PATH });
  const reply = await ask({
    method: "GET",
    url: origin + target,
    headers: [
      ...(provider.defaultHeaders ?? []),
      ...provider.authHeaders({ secret, organizationId, projectId: providerProjectId }),
    ],
  });
  if (reply.kind === "unreachable") return { kind: "trouble", problem: reply.problem };
  const { status, headers, retryAfterMs } = reply;
  if (status >= 200 && status < 300) {
    return {
      kind: "works",
      organization: headers.get("openai-organization"),
      project: headers.get("openai-project"),
    };
  }
  if (status === 401) return { kind: "refused" };
  if (UNCLEAR.has(status)) return { kind: "unclear", status };
  const problem = `the provider answered ${status} to a call with the new secret`;
  return { kind: "trouble", problem, retryAfterMs };
}
