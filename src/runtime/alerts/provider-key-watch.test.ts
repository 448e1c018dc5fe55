import { expect, test } from "vitest";
import { sampleEvent } from "../../store/contract/samples.contract.ts";
import type { ProviderKeyRecord } from "../../store/records.ts";
import type { CallReport } from "../../telemetry/call-observer.ts";
import { ProviderKeyWatch } from "./provider-key-watch.ts";

const key = { id: "pk_1", accountId: "acc_1" } as ProviderKeyRecord;

function watchedKey() {
  const at = { nowMs: 0, circuit: "open" as "open" | "closed" };
  const watch = new ProviderKeyWatch({
    healthOf: () => ({ circuit: at.circuit, circuitOpenForMs: 0, rests: [] }),
    monotonicMs: () => at.nowMs,
  });
  const end = (changes: Partial<CallReport["event"]>): void => {
    const event = sampleEvent({ providerKeyId: key.id, ...changes });
    watch.observer.callEnded({ event } as CallReport);
  };
  const fail = (): void => end({ status: "failed", httpStatus: 500 });
  return { at, end, fail, trouble: () => watch.troubleOf(key, 30_000) };
}

test("ten failures within a second are no trouble, however long nobody calls afterwards", () => {
  const { at, fail, trouble } = watchedKey();
  for (let i = 0; i < 10; i += 1) {
    fail();
    at.nowMs += 100;
  }
  expect(trouble()).toBeUndefined();
  at.nowMs += 3_600_000;
  expect(trouble()).toBeUndefined();
});

test("failures that go on for the whole time are trouble, until the circuit closes", () => {
  const { at, fail, trouble } = watchedKey();
  fail();
  at.nowMs = 29_999;
  fail();
  expect(trouble()).toBeUndefined();
  at.nowMs = 30_000;
  fail();
  expect(trouble()).toBe("failing");
  at.circuit = "closed";
  expect(trouble()).toBeUndefined();
});

test("an answer between two failures begins anew, be it a refusal of the caller's request", () => {
  for (const answer of [{ status: "succeeded" }, { status: "failed", httpStatus: 400 }] as const) {
    const { at, end, fail, trouble } = watchedKey();
    fail();
    at.nowMs = 20_000;
    end(answer);
    at.nowMs = 40_000;
    fail();
    at.nowMs = 60_000;
    fail();
    expect(trouble()).toBeUndefined();
  }
});
