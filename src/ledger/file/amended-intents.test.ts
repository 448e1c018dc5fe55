import { afterEach, beforeEach, expect, test } from "vitest";
import { ids, type LedgerUnderTest, startLedger } from "../../../test/support/ledger-under-test.ts";
import { MemoryEventSink } from "../../../test/support/memory-event-sink.ts";
import { sampleEvent, sampleIntent } from "../../../test/support/sample-calls.ts";
import type { CallIntent, DeferredStep } from "../../core/usage/usage-event.ts";

const DEFERRED: DeferredStep = {
  step: "begun",
  work: { kind: "response", objectId: "resp_1", path: "/responses/resp_1" },
  firstCheckAtMs: 1_767_225_602_000,
};

let under: LedgerUnderTest;

beforeEach(async () => {
  under = await startLedger({ maxSegmentBytes: 20_000 });
});
afterEach(async () => {
  await under.dispose();
});

async function openCall(): Promise<CallIntent> {
  const intent = sampleIntent(ids);
  await under.ledger.open(intent);
  return intent;
}

async function callOnce(): Promise<void> {
  await under.ledger.settle(sampleEvent(await openCall()));
}

async function afterCrash(): Promise<MemoryEventSink> {
  const sink = new MemoryEventSink();
  await under.recoverAfterCrash(sink);
  return sink;
}

test("an intent that was amended is recovered with the work it has begun, and costs nothing by itself", async () => {
  const [amended, plain] = [await openCall(), await openCall()];
  await under.ledger.amend({ ...amended, deferred: DEFERRED });
  const { events } = await afterCrash();
  expect(events.get(amended.id)).toMatchObject({
    status: "interrupted",
    usageSource: "deferred",
    pricing: "priced",
    costPicos: 0n,
    providerResponseId: "resp_1",
    deferred: DEFERRED,
  });
  expect(events.get(plain.id)).toMatchObject({ status: "unknown", usageSource: "unknown" });
  expect(events.get(plain.id)).not.toHaveProperty("deferred");
});

test("an amended intent that is settled is what its settlement says", async () => {
  const intent = await openCall();
  await under.ledger.amend({ ...intent, deferred: DEFERRED });
  await under.ledger.settle(sampleEvent(intent));
  const { events } = await afterCrash();
  expect(events.get(intent.id)).toEqual(sampleEvent(intent));
  expect(under.ledger.status().openIntents).toBe(0);
});

test("what was amended is kept however often the journal moves on, whenever the process dies", async () => {
  const long = await openCall();
  const amended = under.ledger.amend({ ...long, deferred: DEFERRED });
  let largestBytes = 0;
  for (let round = 0; round < 30; round += 1) {
    await Promise.all(Array.from({ length: 50 }, callOnce));
    await under.ledger.flush();
    largestBytes = Math.max(largestBytes, under.ledger.status().journalBytes);
    if (round % 10 !== 9) continue;
    const { events } = await afterCrash();
    expect(events.get(long.id)?.deferred).toEqual(DEFERRED);
  }
  await amended;
  expect(largestBytes).toBeLessThan(250_000);
});

test("an intent that is not open is not amended", async () => {
  const intent = await openCall();
  await under.ledger.settle(sampleEvent(intent));
  await expect(under.ledger.amend(intent)).rejects.toThrow("is not open");
});
