import { clientAddress, type ClientAddressHeader } from "../../core/network/client-address.ts";
import type { IpAddress } from "../../core/network/ip-address.ts";
import { formatIp, type IpRanges } from "../../core/network/ip-ranges.ts";
import type { CallPolicy } from "../../core/policy/call-policy.ts";
import { plainPath } from "../../wire/openai/operation-index.ts";
import { isListed } from "../../wire/openai/unlisted.ts";
import { isFromBrowser } from "../browser-calls.ts";
import type { Call, Refusal } from "../call.ts";
import type { PolicyWatch } from "../policy-watch.ts";
import type { ClientTokenEntry, KeyEntry, Snapshot } from "../snapshot.ts";

export interface RestrictDeps {
  readonly snapshot: Snapshot;
  readonly policyWatch: PolicyWatch;
  /** Whose word is taken for where a call comes from; null: nobody's. */
  readonly trustedProxies: IpRanges | null;
  readonly clientAddressHeader: ClientAddressHeader;
}

/** Whether the key may be used from there, for that, by such a client: what is known before the body is read. */
export function restrict(
  deps: RestrictDeps,
  call: Call,
): Refusal | undefined | Promise<Refusal | undefined> {
  const { key } = call;
  if (key === undefined) throw new Error("restrict comes after authenticate");
  const routing = deps.snapshot.routingOf(key.environmentId);
  if (!(routing instanceof Promise)) return restrictBy(deps, call, routing.policy ?? null);
  return routing.then(
    ({ policy = null }) => restrictBy(deps, call, policy),
    () => STORE_UNAVAILABLE,
  );
}

const STORE_UNAVAILABLE: Refusal = {
  code: "store_unavailable",
  message: "The environment's policy could not be read. Try again shortly.",
};

/** The same for a call that is checked once more, because it had to wait. */
export function restrictBy(
  deps: RestrictDeps,
  call: Call,
  policy: CallPolicy | null,
): Refusal | undefined {
  const { key } = call;
  if (key === undefined) throw new Error("restrict comes after authenticate");
  call.policy = policy;
  if (key.restrictions === null && policy === null && key.clientToken === undefined) {
    return undefined;
  }
  return (
    restrictAddress(deps, call, key, policy) ??
    restrictEndpoint(deps, call, key, policy) ??
    restrictBrowser(deps, call, key, policy)
  );
}

function restrictAddress(
  deps: RestrictDeps,
  call: Call,
  key: KeyEntry,
  policy: CallPolicy | null,
): Refusal | undefined {
  const own = key.restrictions?.allowedIps ?? null;
  const rule = policy?.ips ?? null;
  if (own === null && rule === null) return undefined;
  const address = addressOf(deps, call);
  if (own !== null && (address === undefined || !own.has(address))) {
    return ipNotAllowed(address, "this key may be used from");
  }
  if (rule === null || (address !== undefined && rule.ranges.has(address))) return undefined;
  if (rule.mode === "warn") return deps.policyWatch.note(call, "allowed_ips");
  return ipNotAllowed(address, `keys of the ${key.environmentName} environment may be used from`);
}

function addressOf(deps: RestrictDeps, { request }: Call): IpAddress | undefined {
  const { trustedProxies, clientAddressHeader: headerName } = deps;
  const header = trustedProxies === null ? undefined : request.headers.get(headerName);
  return clientAddress({ peer: request.remoteAddress, header, headerName }, trustedProxies);
}

function ipNotAllowed(address: IpAddress | undefined, where: string): Refusal {
  const from = address === undefined ? "an address that is not known" : formatIp(address);
  return {
    code: "ip_not_allowed",
    message: `The call comes from ${from}, which is none of the networks that ${where}. Behind a proxy, whoever runs this gateway must name it in the setting trustedProxies.`,
  };
}

function restrictEndpoint(
  deps: RestrictDeps,
  call: Call,
  key: KeyEntry,
  policy: CallPolicy | null,
): Refusal | undefined {
  if (key.clientToken !== undefined && !isOpenToToken(call, key.clientToken)) {
    return CLOSED_TO_TOKEN;
  }
  const own = key.restrictions?.allowedEndpoints ?? null;
  const rule = policy?.endpoints ?? null;
  if (own === null && rule === null) return undefined;
  const path = endpointPath(call);
  if (own !== null && !own.has(path)) return endpointNotAllowed(path, "This key");
  if (rule === null || rule.set.has(path)) return undefined;
  if (rule.mode === "warn") return deps.policyWatch.note(call, "allowed_endpoints");
  return endpointNotAllowed(path, `The ${key.environmentName} environment`);
}

const CLOSED_TO_TOKEN: Refusal = {
  code: "endpoint_not_allowed",
  message:
    "The client token is not made for this endpoint, or asks for more than to make a call of it: tokens list, read back and delete nothing. The server that makes the token names its endpoints.",
};

/** Calls are made, of the endpoints that were chosen, and to the letter: what lies below them is not one customer's. */
function isOpenToToken({ operation }: Call, { endpoints }: ClientTokenEntry): boolean {
  if (!isListed(operation)) return false;
  const path = operation.path.slice("/v1/".length);
  if (operation.method === "GET") return path === "models" && endpoints.has(path);
  return operation.method === "POST" && endpoints.has(path);
}

/** What is listed has one path, however it is spelled. */
function endpointPath({ operation, request }: Call): string {
  return isListed(operation) ? operation.path : plainPath(request.path);
}

function endpointNotAllowed(path: string, whose: string): Refusal {
  return {
    code: "endpoint_not_allowed",
    message: `${whose} is limited to certain endpoints, and ${path.slice(0, 200)} is none of them. Whoever runs this gateway can allow it: keyward keys update --endpoint, or keyward environments policy --allow-endpoint.`,
  };
}

function restrictBrowser(
  deps: RestrictDeps,
  call: Call,
  key: KeyEntry,
  policy: CallPolicy | null,
): Refusal | undefined {
  const mode = policy?.browsers ?? null;
  if (mode === null || key.isForBrowsers || !isFromBrowser(call.request)) return undefined;
  if (mode === "warn") return deps.policyWatch.note(call, "no_browser_calls");
  return {
    code: "browser_call_refused",
    message:
      "A browser sent this call, so everybody who opens the page can read this key. Revoke it, and have your server make the call; a key that browsers may send is made with `keyward keys create --for-browsers`. If a server passes on its visitor's headers, it must leave out Origin and Sec-Fetch-*.",
  };
}
