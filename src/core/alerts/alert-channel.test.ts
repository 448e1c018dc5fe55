import { describe, expect, it } from "vitest";
import { createSigningSecret, isEmailAddress, previewUrl, signingKeyOf } from "./alert-channel.ts";
import { parseSmtpUrl } from "./smtp-url.ts";

describe("a channel's secrets", () => {
  it("are shown by host and last four characters, and not even those where they are short", () => {
    const path = ["services", "T000", "B000", "x".repeat(20)].join("/");
    expect(previewUrl(`https://hooks.slack.com/${path}9fQa`)).toBe("hooks.slack.com/…9fQa");
    expect(previewUrl("https://example.com:8443/hook")).toBe("example.com:8443/…");
  });

  it("sign with 32 bytes that come back from the secret's text", () => {
    const secret = createSigningSecret((count) => new Uint8Array(count).fill(7));
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect([...signingKeyOf(secret)]).toEqual(Array.from({ length: 32 }, () => 7));
  });
});

describe("an address of e-mail", () => {
  it.each(["ops@example.com", "a+b@sub.example.co.uk", "ö@example.com"])("may be %j", (text) => {
    expect(isEmailAddress(text)).toBe(true);
  });

  it.each([
    "ops",
    "ops@",
    "Ops <ops@example.com>",
    "a@b.example, c@d.example",
    "a@b.example\r\nBcc: c@d.example",
    "a@b.example\u0000",
    '"a b"@example.com',
    `${"a".repeat(65)}@example.com`,
  ])("may not be %j", (text) => {
    expect(isEmailAddress(text)).toBe(false);
  });
});

describe("parseSmtpUrl", () => {
  it("reads host, port, security and credentials", () => {
    const userInfo = ["us%40er", "p%3Ass"].join(":");
    expect(parseSmtpUrl(`smtps://${userInfo}@mail.example.com`)).toEqual({
      hostname: "mail.example.com",
      port: 465,
      isSecure: true,
      credentials: { user: "us@er", password: "p:ss" },
    });
    expect(parseSmtpUrl("smtp://mail.example.com:2525/")).toEqual({
      hostname: "mail.example.com",
      port: 2525,
      isSecure: false,
      credentials: null,
    });
    expect(parseSmtpUrl("smtp://mail.example.com")?.port).toBe(587);
  });

  it.each([
    "mail.example.com",
    "https://mail.example.com",
    "smtp://",
    "smtp://mail.example.com/path",
    "smtp://mail.example.com?pool=true",
    "smtp://user@mail.example.com",
    "smtp://%zz:p@mail.example.com",
  ])("does not take %j", (text) => {
    expect(parseSmtpUrl(text)).toBeUndefined();
  });
});
