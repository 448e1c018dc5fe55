import { describe, expect, it } from "vitest";
import type { GatewayRequest } from "./gateway-request.ts";
import { createClientHeaders, createUpstreamHeaders } from "./headers.ts";
import { HeaderFields } from "./http/header-fields.ts";
import type { ProviderRoute } from "./snapshot.ts";

const ROUTE = {
  provider: { defaultHeaders: [["x-provider-version", "1"]] },
  authHeaders: [["authorization", "Bearer the-provider's"]],
} as unknown as ProviderRoute;
const KEY = ["kw", "live", "x".repeat(49)].join("_");

function sent(fields: Readonly<Record<string, string>>, isAnswerRead = true): string[] {
  const request = { headers: HeaderFields.from(fields) } as GatewayRequest;
  const options = { contentLength: 2, isAnswerRead, trace: undefined };
  return linesOf(createUpstreamHeaders(request, ROUTE, options));
}

function answered(
  upstream: Readonly<Record<string, string>>,
  options: { readonly isBodyChanged?: boolean; readonly isDecoded?: boolean } = {},
): string[] {
  const own = ["x-keyward-request-id", "req_1", "x-ratelimit-limit-requests", "5"];
  const plain = { isBodyChanged: false, isDecoded: false };
  return linesOf(createClientHeaders(HeaderFields.from(upstream), own, { ...plain, ...options }));
}

function linesOf(flat: readonly string[]): string[] {
  return flat.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${flat[at + 1]}`] : []));
}

describe("what a provider is sent", () => {
  const OWN = [
    "accept-encoding: identity",
    "content-length: 2",
    "x-provider-version: 1",
    "authorization: Bearer the-provider's",
  ];

  it("is every field but those that are the client's own business, common or not, in either spelling", () => {
    const withheld = {
      authorization: `Bearer ${KEY}`,
      Host: "gateway",
      "content-length": "3",
      "x-forwarded-for": "1.2.3.4",
      x_forwarded_for: "1.2.3.4",
      "true-client-ip": "1.2.3.4",
      true_client_ip: "1.2.3.4",
      "x-keyward-customer": "acme",
      x_keyward_unheard_of: "1",
      "user-agent": `me ${KEY}`,
      "accept-encoding": "gzip",
    };
    expect(sent(withheld)).toEqual(OWN);
    const passed = { "user-agent": "me", "x-stainless-os": "Linux", "x-odd": "kw_", odd_name: "1" };
    expect(sent(passed)).toEqual([...linesOf(Object.entries(passed).flat()), ...OWN]);
  });

  it("has the client's own value where the provider has one only for those that send none", () => {
    expect(sent({ "x-provider-version": "2" })).toEqual([
      "x-provider-version: 2",
      "accept-encoding: identity",
      "content-length: 2",
      "authorization: Bearer the-provider's",
    ]);
  });

  it("has no field that the client names as its connection's", () => {
    expect(
      sent({ connection: "close, x-odd, user-agent", "x-odd": "1", "user-agent": "me" }),
    ).toEqual(OWN);
  });

  it("has the client's encodings where the answer is not read", () => {
    expect(sent({ "accept-encoding": "gzip" }, false)).toEqual([
      "accept-encoding: gzip",
      "content-length: 2",
      "x-provider-version: 1",
      "authorization: Bearer the-provider's",
    ]);
  });
});

describe("what a client is answered", () => {
  const OWN = answered({});

  it("is every field but those that are the provider's business with the gateway", () => {
    const withheld = {
      "set-cookie": "a=1",
      "alt-svc": "h3",
      nel: "{}",
      "transfer-encoding": "chunked",
      "x-keyward-cost-usd": "0",
      "x-ratelimit-limit-requests": "10000",
      connection: "x-odd",
      "x-odd": "1",
    };
    expect(answered(withheld)).toEqual(OWN);
    const passed = {
      "content-type": "text/plain",
      "x-ratelimit-limit-tokens": "7",
      "x-other": "1",
    };
    expect(answered(passed)).toEqual([...OWN, ...linesOf(Object.entries(passed).flat())]);
  });

  it("has the length and the encoding of the body that goes out", () => {
    const upstream = { "content-encoding": "gzip", "content-length": "12" };
    expect(answered(upstream)).toEqual([...OWN, "content-encoding: gzip", "content-length: 12"]);
    expect(answered(upstream, { isDecoded: true })).toEqual(OWN);
    expect(answered(upstream, { isBodyChanged: true })).toEqual([...OWN, "content-encoding: gzip"]);
  });
});
