import { describe, expect, it } from "vitest";
import { createClientAddressOf } from "./client-address-of.ts";

describe("whom a request to the admin API comes from", () => {
  const forwarded = new Headers({ "x-forwarded-for": "192.0.2.99, 198.51.100.7, 10.0.0.2" });
  const clientAddressHeader = "x-forwarded-for";

  it("is the other end of the connection, whatever a header says, where no proxy is trusted", () => {
    const addressOf = createClientAddressOf({ trustedProxies: [], clientAddressHeader });
    expect(addressOf({ address: "10.0.0.1" }, forwarded)).toBe("10.0.0.1");
    expect(addressOf({ address: "::ffff:10.0.0.1" }, forwarded)).toBe("10.0.0.1");
    expect(addressOf({ address: null }, forwarded)).toBeNull();
  });

  it("is whom the last trusted proxy names, and not what a client wrote before that", () => {
    const trustedProxies = ["10.0.0.0/8"];
    const addressOf = createClientAddressOf({ trustedProxies, clientAddressHeader });
    expect(addressOf({ address: "10.0.0.1" }, forwarded)).toBe("198.51.100.7");
    expect(addressOf({ address: "203.0.113.5" }, forwarded)).toBe("203.0.113.5");
    expect(addressOf({ address: "10.0.0.1" }, new Headers())).toBe("10.0.0.1");
  });
});
