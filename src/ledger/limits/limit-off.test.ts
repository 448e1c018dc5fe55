import { describe, expect, it } from "vitest";
import {
  admitted,
  burst,
  CALL,
  countAdmitted,
  gateways,
  limitOf,
  refused,
} from "../../../test/support/limit-gateways.ts";

describe("a limit on calls in flight that is taken off and comes back", () => {
  it("counts calls in flight through the time without it, also those that came meanwhile", async () => {
    const limit = limitOf({ requestsPerMinute: 1_000, concurrency: 2 });
    const { all, first, second, pass } = gateways(2, limit);
    const inFlight = [admitted(await first.admit(CALL))];
    for (const gateway of all) gateway.apply([limit.id], [{ ...limit, concurrency: null }]);
    await pass(100);
    inFlight.push(admitted(await first.admit(CALL)));
    for (const gateway of all) gateway.apply([limit.id], [limit]);
    await pass(100);
    expect(refused(await first.admit(CALL)).measure).toBe("concurrency");
    expect(refused(await second.admit(CALL)).measure).toBe("concurrency");
    for (const one of inFlight) one.end();
    await pass(300);
    expect(countAdmitted(await burst(second, 3))).toBe(2);
  });

  it("gives back the slots that nobody needs meanwhile, also where nobody calls any more", async () => {
    const limit = limitOf({ requestsPerMinute: 1_000, concurrency: 5 });
    const { all, first, second, pass } = gateways(2, limit);
    for (const one of await burst(second, 5)) admitted(one).end();
    for (const gateway of all) gateway.apply([limit.id], [{ ...limit, concurrency: null }]);
    await pass(100);
    for (const gateway of all) gateway.apply([limit.id], [limit]);
    expect(countAdmitted(await burst(first, 6))).toBe(5);
  });
});
