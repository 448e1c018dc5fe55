import { expect, test } from "vitest";
import { reachableUrl } from "./reachable-url.ts";

test("an address that means all is reached at this machine's own, and an IPv6 address stands in brackets", () => {
  expect(reachableUrl("0.0.0.0", 1)).toBe("http://127.0.0.1:1");
  expect(reachableUrl("::", 1)).toBe("http://127.0.0.1:1");
  expect(reachableUrl("::1", 1)).toBe("http://[::1]:1");
  expect(reachableUrl("gateway.internal", 80)).toBe("http://gateway.internal:80");
});
