import { describe, expect, it } from "vitest";
import { parseBaseUrl } from "./base-url.ts";

describe("parseBaseUrl", () => {
  it.each([
    ["https://api.openai.com/v1", "https://api.openai.com/v1"],
    [" https://API.example.com:443/v1// ", "https://api.example.com/v1"],
    ["https://example.com", "https://example.com"],
    ["http://localhost:11434/v1", "http://localhost:11434/v1"],
    ["http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1"],
    ["http://[::1]:8000/v1", "http://[::1]:8000/v1"],
    ["http://10.1.2.3/v1", "http://10.1.2.3/v1"],
    ["http://vllm:8000/v1", "http://vllm:8000/v1"],
    ["http://llm.models.svc.cluster.local/v1", "http://llm.models.svc.cluster.local/v1"],
    ["http://models.internal/v1", "http://models.internal/v1"],
    ["http://[fd12:3456::1]/v1", "http://[fd12:3456::1]/v1"],
  ])("takes %s", (text, baseUrl) => {
    expect(parseBaseUrl(text)).toEqual({ baseUrl });
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
    ["http://internal.example/v1", "must be https"],
    [`https://example.com/${"x".repeat(2048)}`, "must be a URL"],
  ])("refuses %s", (text, reason) => {
    expect(parseBaseUrl(text)).toEqual({ refusal: expect.stringContaining(reason) as string });
  });

  it.each([
    "http://169.254.169.254/latest",
    "https://169.254.169.254/v1",
    "http://2852039166/v1",
    "http://0xa9fea9fe/v1",
    "http://[::ffff:169.254.169.254]/v1",
    "http://[fe80::1]/v1",
    "http://[fd00:ec2::254]/v1",
    "http://100.100.100.200/v1",
    "http://metadata.google.internal/v1",
    "http://metadata.google.internal./v1",
    "http://METADATA/v1",
  ])("refuses the metadata service of a cloud, however it is written: %s", (text) => {
    expect(parseBaseUrl(text)).toEqual({ refusal: expect.stringContaining("metadata") as string });
  });
});
