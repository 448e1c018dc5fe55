import { describe, expect, it } from "vitest";
import {
  admitted,
  burst,
  CALL,
  countAdmitted,
  gateways,
  limitOf,
  refused,
  settled,
} from "../../../test/support/limit-gateways.ts";
import type { ProviderAccountId } from "../../core/ids/ids.ts";
import type { LimitDecision } from "../limits.ts";

describe("requests a minute", () => {
  it("lets a call pass that no limit counts, without asking anybody", () => {
    const { first, uses } = gateways(1, limitOf({ scope: { kind: "feature", id: null } }));
    expect(first.admit(CALL)).toBeUndefined();
    expect(uses.trips).toBe(0);
  });

  it("admits exactly the limit of a burst on two processes, and asks the store a few times", async () => {
    const { first, second, uses } = gateways(2, limitOf({ requestsPerMinute: 60 }));
    const decisions = await Promise.all([burst(first, 200), burst(second, 200)]);
    expect(countAdmitted(decisions.flat())).toBe(60);
    expect(uses.trips).toBeLessThan(8);
  });

  it("admits exactly the limit of calls one after the other, whichever process they come to", async () => {
    for (const requestsPerMinute of [1, 2, 10, 33, 60]) {
      const { first, second, time, pass } = gateways(2, limitOf({ requestsPerMinute }));
      let admittedCount = 0;
      for (let i = 0; i < 2 * requestsPerMinute; i += 1) {
        const gateway = (i * 7) % 3 === 0 ? first : second;
        const decision = await gateway.admit(CALL);
        if (decision?.isAdmitted === true) {
          admittedCount += 1;
          decision.end();
        }
        time.ms += 5;
        if (i % 20 === 0) await pass(0);
      }
      expect(admittedCount).toBe(requestsPerMinute);
    }
  });

  it("decides at once, one way or the other, while it knows enough", async () => {
    const { first, uses, pass } = gateways(1, limitOf({ requestsPerMinute: 600 }));
    for (let i = 0; i < 30; i += 1) {
      admitted(await first.admit(CALL));
      await pass(100);
    }
    const trips = uses.trips;
    for (let i = 0; i < 10; i += 1) admitted(first.admit(CALL) as LimitDecision);
    expect(uses.trips).toBe(trips);
    await burst(first, 600);
    const tripsWhenFull = uses.trips;
    for (let i = 0; i < 1000; i += 1) refused(first.admit(CALL) as LimitDecision);
    expect(uses.trips).toBe(tripsWhenFull);
  });

  it("says when there is room again, and there is room then", async () => {
    const { first, pass } = gateways(1, limitOf({ requestsPerMinute: 3 }));
    await burst(first, 3);
    await pass(400);
    const { retryAfterMs, rates, measure } = refused(await first.admit(CALL));
    expect(measure).toBe("requests");
    expect(retryAfterMs).toBeGreaterThan(59_000);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
    expect(rates.requests).toMatchObject({ limit: 3, remaining: 0 });
    await pass(retryAfterMs - 2);
    refused(await first.admit(CALL));
    await pass(2);
    admitted(await first.admit(CALL));
  });

  it("says at most 60 seconds, and whoever comes back then is served, however it was used up", async () => {
    for (const requestsPerMinute of [1, 10, 200]) {
      const { first, second, pass, time, uses } = gateways(2, limitOf({ requestsPerMinute }));
      let decision: LimitDecision;
      let calls = 0;
      do {
        decision = await (calls % 3 === 0 ? second : first).admit(CALL);
        calls += 1;
        // As fast as one client can.
        time.ms += 3;
        if (calls % 30 === 0) await pass(0);
      } while (decision?.isAdmitted === true);
      const { retryAfterMs, rates } = refused(decision);
      expect(retryAfterMs).toBeLessThanOrEqual(60_000);
      expect(rates.requests?.resetMs).toBeLessThanOrEqual(60_000);
      const untilMs = time.ms + retryAfterMs;
      while (time.ms < untilMs) await pass(Math.min(100, untilMs - time.ms));
      // By then the rest of the way is waited for.
      let waitedMs = 0;
      time.wait = async (ms) => {
        waitedMs += ms;
        time.ms += ms;
        await settled();
      };
      admitted(await first.admit(CALL));
      expect(waitedMs).toBeLessThanOrEqual(300);
      time.wait = settled;
      expect(uses.trips).toBeGreaterThan(0);
    }
  });

  it("says what is left with each call", async () => {
    const { first } = gateways(1, limitOf({ requestsPerMinute: 5 }));
    const left: (number | undefined)[] = [];
    for (let i = 0; i < 5; i += 1) {
      left.push(admitted(await first.admit(CALL)).rates.requests?.remaining);
    }
    expect(left).toEqual([4, 3, 2, 1, 0]);
  });

  it("gives what one process does not use to the others, and nobody is left out", async () => {
    const { first, second, pass } = gateways(2, limitOf({ requestsPerMinute: 100 }));
    for (let i = 0; i < 20; i += 1) {
      await burst(first, 2);
      await pass(100);
    }
    // The first has permits in hand for calls that never come.
    let total = 40;
    for (let i = 0; i < 120; i += 1) {
      total += countAdmitted(await burst(second, 2));
      await pass(100);
    }
    expect(total).toBe(100);
  });

  it("counts a call that was not sent for nothing, whichever limit it was refused by", async () => {
    const wide = limitOf({ requestsPerMinute: 10 });
    const narrow = limitOf({ requestsPerMinute: 1, scope: { kind: "customer", id: "acme" } });
    const { first } = gateways(1, wide, narrow);
    const call = admitted(await first.admit(CALL));
    for (let i = 0; i < 20; i += 1) expect(refused(await first.admit(CALL)).limit).toBe(narrow);
    call.cancel();
    call.cancel();
    admitted(await first.admit(CALL));
    const others = await burst(first, 20, { ...CALL, customer: "other" });
    expect(countAdmitted(others)).toBe(9);
  });

  it("counts each subject of an unnamed scope by itself, also those whose names no database takes", async () => {
    const each = limitOf({ requestsPerMinute: 1, scope: { kind: "customer", id: null } });
    const { first } = gateways(1, each);
    for (const customer of ["a", "b", "\ud800"]) {
      admitted(await first.admit({ ...CALL, customer }));
      refused(await first.admit({ ...CALL, customer }));
    }
    refused(await first.admit({ ...CALL, customer: "\0" }));
    expect(await first.admit({ ...CALL, customer: null })).toBeUndefined();
  });

  it("goes by a changed limit from the next call on, and by none when it is removed", async () => {
    const limit = limitOf({ requestsPerMinute: 2 });
    const { first, pass } = gateways(1, limit);
    await burst(first, 2);
    refused(await first.admit(CALL));
    first.apply([limit.id], [{ ...limit, requestsPerMinute: 3 }]);
    await pass(1000);
    admitted(await first.admit(CALL));
    first.apply([limit.id], [{ ...limit, requestsPerMinute: 1 }]);
    refused(await first.admit(CALL));
    first.apply([limit.id], []);
    expect(first.isEmpty).toBe(true);
    expect(await first.admit(CALL)).toBeUndefined();
  });
});

describe("tokens a minute", () => {
  it("takes the estimate, and gives back what was not used", async () => {
    const { first, pass } = gateways(1, limitOf({ tokensPerMinute: 1000 }));
    const call = admitted(await first.admit({ ...CALL, tokens: 900 }));
    refused(await first.admit({ ...CALL, tokens: 200 }));
    admitted(await first.admit({ ...CALL, tokens: 100 }));
    call.spend(50);
    call.spend(50);
    call.end();
    await pass(200);
    admitted(await first.admit({ ...CALL, tokens: 800 }));
    refused(await first.admit({ ...CALL, tokens: 1 }));
  });

  it("makes up for what was used beyond the estimate", async () => {
    const { first, pass } = gateways(1, limitOf({ tokensPerMinute: 1000 }));
    const call = admitted(await first.admit({ ...CALL, tokens: 100 }));
    call.spend(3000);
    call.end();
    await pass(200);
    const { measure, rates } = refused(await first.admit({ ...CALL, tokens: 1 }));
    expect([measure, rates.tokens?.remaining]).toEqual(["tokens", 0]);
    // A call that takes none is not held up.
    admitted(await first.admit(CALL));
  });

  it("lets a call that needs more than the whole limit go alone", async () => {
    const { first, pass } = gateways(1, limitOf({ tokensPerMinute: 1000 }));
    const call = admitted(await first.admit({ ...CALL, tokens: 50_000 }));
    refused(await first.admit({ ...CALL, tokens: 1 }));
    call.spend(200);
    call.end();
    await pass(200);
    admitted(await first.admit({ ...CALL, tokens: 800 }));
  });

  it("takes no requests for calls that are refused for their tokens", async () => {
    const limit = limitOf({ requestsPerMinute: 10, tokensPerMinute: 100 });
    const { first } = gateways(1, limit);
    admitted(await first.admit({ ...CALL, tokens: 100 }));
    for (let i = 0; i < 50; i += 1) refused(await first.admit({ ...CALL, tokens: 10 }));
    expect(countAdmitted(await burst(first, 20))).toBe(9);
  });
});

describe("calls in flight", () => {
  it("admits as many as the limit over two processes, and one more for each that ends", async () => {
    const { first, second, pass } = gateways(2, limitOf({ concurrency: 5 }));
    const decisions = (await Promise.all([burst(first, 9), burst(second, 9)])).flat();
    const running = decisions.filter((decision) => decision?.isAdmitted === true);
    expect(running).toHaveLength(5);
    expect(refused(await first.admit(CALL)).measure).toBe("concurrency");
    for (const call of running) call.end();
    for (const call of running) call.end();
    await pass(300);
    const again = (await Promise.all([burst(first, 9), burst(second, 9)])).flat();
    expect(countAdmitted(again)).toBe(5);
  });

  it("hands a slot from one process to another as soon as a call ends", async () => {
    const { first, second, pass } = gateways(2, limitOf({ concurrency: 1 }));
    for (let i = 0; i < 10; i += 1) {
      const gateway = i % 2 === 0 ? first : second;
      admitted(await gateway.admit(CALL)).end();
      await pass(300);
    }
  });

  it("admits every call that comes when the last has ended, whichever process it comes to, at once", async () => {
    const { first, second, all, uses } = gateways(2, limitOf({ concurrency: 1 }));
    // Each process has refused a call a moment ago.
    const held = admitted(await first.admit(CALL));
    for (const gateway of all) refused(await gateway.admit(CALL));
    held.end();
    for (const index of [0, 1, 1, 0, 0, 1, 0, 1, 0, 1]) {
      const call = admitted(await (index === 0 ? first : second).admit(CALL));
      // Another one would be one too many.
      refused(await (index === 0 ? second : first).admit(CALL));
      call.end();
    }
    await settled();
    expect([...uses.uses.values()]).toMatchObject([{ slots: {} }]);
  });

  it("gives idle slots to a process that needs them, also where there are many", async () => {
    const { first, second, pass } = gateways(2, limitOf({ concurrency: 40 }));
    const calls = await burst(first, 40);
    for (const call of calls) admitted(call).end();
    const needed = burst(second, 40);
    for (let i = 0; i < 3; i += 1) await pass(100);
    expect(countAdmitted(await needed)).toBe(40);
  });

  it("gives back all slots when nobody calls any more", async () => {
    const { first, uses, pass } = gateways(1, limitOf({ concurrency: 20 }));
    for (const call of await burst(first, 7)) admitted(call).end();
    for (let i = 0; i < 5; i += 1) await pass(100);
    expect([...uses.uses.values()]).toMatchObject([{ slots: {} }]);
  });

  it("takes back the slots of a process that is gone", async () => {
    const { first, second, uses, pass } = gateways(2, limitOf({ concurrency: 3 }));
    expect(countAdmitted(await burst(first, 3))).toBe(3);
    refused(await second.admit(CALL));
    uses.running.delete("prc_0");
    await pass(300);
    expect(countAdmitted(await burst(second, 9))).toBe(3);
  });

  it("loses no slot to 1,000 calls that are refused, cancelled or ended at once", async () => {
    const { first, pass } = gateways(1, limitOf({ concurrency: 50, requestsPerMinute: 100_000 }));
    for (let round = 0; round < 20; round += 1) {
      const decisions = await burst(first, 60);
      for (const [index, decision] of decisions.entries()) {
        if (decision?.isAdmitted !== true) continue;
        if (index % 2 === 0) decision.end();
        else decision.cancel();
      }
      await pass(300);
    }
    expect(countAdmitted(await burst(first, 60))).toBe(50);
  });

  it("goes with the account from attempt to attempt, and the call's other slots stay", async () => {
    const ofAccount = limitOf({ concurrency: 1, scope: { kind: "providerAccount", id: null } });
    const ofAll = limitOf({ concurrency: 2 });
    const { first } = gateways(1, ofAccount, ofAll);
    const call = admitted(await first.admit(CALL));
    const elsewhere = { ...CALL, providerAccountId: "acc_2" as ProviderAccountId };
    call.leaveAccount();
    admitted(await first.admit(CALL));
    expect(refused(await first.admit(elsewhere)).limit).toBe(ofAll);
    call.end();
    admitted(await first.admit(elsewhere));
  });
});

describe("while the store is away", () => {
  it("each process goes on with its share of the limit, says so once, and makes up for it afterwards", async () => {
    const { first, second, uses, pass, logged } = gateways(2, limitOf({ requestsPerMinute: 60 }));
    await burst(first, 1);
    await burst(second, 1);
    uses.road = () => "away";
    await pass(1000);
    expect(countAdmitted(await burst(first, 100))).toBe(29);
    expect(countAdmitted(await burst(second, 100))).toBe(29);
    const { retryAfterMs } = refused(await first.admit(CALL));
    expect(retryAfterMs).toBeGreaterThan(50_000);
    expect(logged).toHaveLength(2);
    uses.road = () => ({});
    await pass(1500);
    expect(logged).toHaveLength(4);
    // Whoever was heard first may have been granted some before the other's debt was known.
    const more = await Promise.all([burst(first, 100), burst(second, 100)]);
    expect(countAdmitted(more.flat())).toBeLessThanOrEqual(60 / 4);
    await pass(30_000);
    refused(await first.admit(CALL));
    refused(await second.admit(CALL));
  });

  it("one process alone still keeps the limit", async () => {
    const { first, uses, pass } = gateways(1, limitOf({ requestsPerMinute: 10, concurrency: 12 }));
    expect(countAdmitted(await burst(first, 4))).toBe(4);
    uses.road = () => "away";
    await pass(1000);
    expect(countAdmitted(await burst(first, 40))).toBe(6);
    await pass(62_000);
    // Ten are still in flight.
    expect(countAdmitted(await burst(first, 40))).toBe(2);
  });

  it("does not hammer it: a thousand refused calls are one attempt a second", async () => {
    const { first, uses, pass } = gateways(1, limitOf({ requestsPerMinute: 1 }));
    uses.road = () => "away";
    await burst(first, 1000);
    const before = uses.trips;
    for (let i = 0; i < 30; i += 1) {
      await burst(first, 100);
      await pass(100);
    }
    expect(uses.trips - before).toBeLessThanOrEqual(3);
  });
});
