import { describe, expect, it } from "vitest";
import { createAllowedHosts } from "../../core/network/allowed-hosts.ts";
import { parseBaseUrl } from "./base-url.ts";

const NONE = createAllowedHosts([]);
const SOME = createAllowedHosts([
  "localhost:11434",
  "127.0.0.1",
  "[::1]:8000",
  "10.1.2.3",
  "vllm:8000",
  "models.internal",
  "llm.example.com",
  "192.168.1.2:443",
]);

describe("parseBaseUrl", () => {
  it.each([
    ["https://api.openai.com/v1", "https://api.openai.com/v1"],
    [" https://API.example.com:443/v1// ", "https://api.example.com/v1"],
    ["https://example.com", "https://example.com"],
    ["https://8.8.8.8/v1", "https://8.8.8.8/v1"],
  ])("takes %s, which is on the internet", (text, baseUrl) => {
    expect(parseBaseUrl(text, NONE)).toEqual({ baseUrl });
  });

  it.each([
    ["http://localhost:11434/v1", "http://localhost:11434/v1"],
    ["http://LOCALHOST.:11434/v1", "http://localhost.:11434/v1"],
    ["http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1"],
    ["http://0x7f000001:8000/v1/", "http://127.0.0.1:8000/v1"],
    ["http://[::1]:8000/v1", "http://[::1]:8000/v1"],
    ["http://10.1.2.3/v1", "http://10.1.2.3/v1"],
    ["http://vllm:8000/v1", "http://vllm:8000/v1"],
    ["https://models.internal/v1", "https://models.internal/v1"],
    ["http://llm.example.com/v1", "http://llm.example.com/v1"],
    ["https://192.168.1.2/v1", "https://192.168.1.2/v1"],
  ])("takes %s where its host is allowed by name, and refuses it where not", (text, baseUrl) => {
    expect(parseBaseUrl(text, SOME)).toEqual({ baseUrl });
    expect(parseBaseUrl(text, NONE)).toHaveProperty("refusal");
  });

  it.each([
    ["", "must be a URL"],
    ["api.openai.com/v1", "must be a URL"],
    ["localhost:8000/v1", "must begin with"],
    ["ftp://example.com/v1", "must begin with"],
    ["file:///etc/passwd", "must begin with"],
    ["https://user@example.com/v1", "credentials"],
    ["https://:password@example.com/v1", "credentials"],
    ["https://example.com/v1?key=x", "query"],
    ["https://example.com/v1?", "query"],
    ["https://example.com/v1#x", "query"],
    ["http://api.openai.com/v1", "must be https"],
    ["http://8.8.8.8/v1", "must be https"],
    ["http://localhost.example.com/v1", "must be https"],
    [`https://example.com/${"x".repeat(2048)}`, "must be a URL"],
  ])("refuses %s", (text, reason) => {
    expect(parseBaseUrl(text, SOME)).toEqual({
      refusal: expect.stringContaining(reason) as string,
    });
  });

  it.each([
    "http://localhost:11435/v1",
    "https://localhost/v1",
    "https://app.localhost/v1",
    "https://127.0.0.2/v1",
    "https://2130706434/v1",
    "https://0x7f.2/v1",
    "https://0177.0.0.2/v1",
    "https://127.2/v1",
    "https://[::1]/v1",
    "https://[::ffff:127.0.0.2]/v1",
    "https://[0:0:0:0:0:ffff:7f00:2]/v1",
    "https://[64:ff9b::7f00:1]/v1",
    "https://10.1.2.4/v1",
    "https://172.16.0.1/v1",
    "https://192.168.0.1/v1",
    "https://100.64.0.1/v1",
    "https://169.254.1.1/v1",
    "https://[fe80::1]/v1",
    "https://[fd12:3456::1]/v1",
    "https://%31%32%37.0.0.2/v1",
    "https://①②⑦.⓪.⓪.②/v1",
    "https://vllm/v1",
    "https://printer.local/v1",
    "https://llm.models.svc.cluster.local/v1",
  ])("refuses %s, which leads into a private network, and says how it is allowed", (text) => {
    const parsed = parseBaseUrl(text, SOME);
    expect(parsed).toEqual({ refusal: expect.stringContaining("allowedPrivateHosts") as string });
    const host = /add `([^`]+)`/.exec("refusal" in parsed ? parsed.refusal : "")?.[1];
    expect(parseBaseUrl(text, createAllowedHosts([host ?? ""]))).toHaveProperty("baseUrl");
  });

  it.each([
    "http://169.254.169.254/latest",
    "https://169.254.169.254/v1",
    "http://2852039166/v1",
    "http://0xa9fea9fe/v1",
    "http://[::ffff:169.254.169.254]/v1",
    "http://[fd00:ec2::254]/v1",
    "http://100.100.100.200/v1",
    "http://metadata.google.internal/v1",
    "http://metadata.google.internal./v1",
    "http://METADATA/v1",
  ])("refuses the metadata service of a cloud, however it is written: %s", (text) => {
    expect(parseBaseUrl(text, SOME)).toEqual({
      refusal: expect.stringContaining("metadata") as string,
    });
  });

  it.each(["http://0.0.0.0:11434/v1", "https://0/v1", "https://[::]/v1", "https://224.0.0.1/v1"])(
    "refuses %s, where there can be no server",
    (text) => {
      expect(parseBaseUrl(text, SOME)).toEqual({
        refusal: expect.stringContaining("no server") as string,
      });
    },
  );
});
