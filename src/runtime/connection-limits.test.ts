import { expect, test } from "vitest";
import { connectionLimits, readMaxOpenFiles } from "./connection-limits.ts";

const CONFIG = {
  maxConnections: 10_000,
  clientHeadersTimeoutMs: 1,
  clientRequestTimeoutMs: 2,
  clientIdleTimeoutMs: 3,
  keepAliveTimeoutMs: 4,
};

test("takes no more connections than there are files for, two a call", () => {
  expect(connectionLimits(CONFIG, Number.POSITIVE_INFINITY)).toEqual(CONFIG);
  expect(connectionLimits(CONFIG, 1_048_576)).toEqual(CONFIG);
  expect(connectionLimits(CONFIG, 1024).maxConnections).toBe(448);
  expect(connectionLimits(CONFIG, 100).maxConnections).toBe(16);
});

test("reads the limit of open files where the system says it", () => {
  expect(readMaxOpenFiles("/nowhere/limits")).toBe(Number.POSITIVE_INFINITY);
  if (process.platform === "linux") expect(readMaxOpenFiles()).toBeGreaterThan(16);
});
