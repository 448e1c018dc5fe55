import { describe, expect, it, vi } from "vitest";
import { MemoryLimitUses } from "../../../test/support/memory-limit-uses.ts";
import { IdleRemoval } from "./idle-removal.ts";

const MINUTE_MS = 60_000;

function removal(idle: number) {
  const time = { ms: 0 };
  const uses = new MemoryLimitUses(() => time.ms);
  uses.idle = idle;
  const warnings: string[] = [];
  const log = { warn: (_fields: unknown, message: string) => void warnings.push(message) };
  const one = new IdleRemoval({ uses, monotonicMs: () => time.ms, log, pageSize: 3 });
  return { one, uses, time, warnings };
}

describe("the removal of idle uses", () => {
  it("goes on page after page until there is none, however many have gathered", async () => {
    const { one, uses, time } = removal(10);
    one.tick();
    expect(uses.removals).toEqual([]);
    time.ms = MINUTE_MS;
    one.tick();
    // Ticks come all the while.
    for (let i = 0; i < 5; i += 1) one.tick();
    await vi.waitFor(() => expect(uses.removals).toEqual([3, 3, 3, 1, 0]));
    await one.close();
  });

  it("looks once a minute where there is none", async () => {
    const { one, uses, time } = removal(0);
    for (let second = 0; second <= 180; second += 1) {
      time.ms = second * 1000;
      one.tick();
      await new Promise(setImmediate);
    }
    expect(uses.removals).toEqual([0, 0, 0]);
  });

  it("stops after the page in hand when it is closed", async () => {
    const { one, uses, time } = removal(1_000_000);
    time.ms = MINUTE_MS;
    one.tick();
    await one.close();
    expect(uses.removals).toEqual([3]);
  });

  it("says once that the store does not let it, and tries again the next minute", async () => {
    const { one, uses, time, warnings } = removal(2);
    uses.road = () => "away";
    time.ms = MINUTE_MS;
    one.tick();
    await vi.waitFor(() => expect(warnings).toHaveLength(1));
    uses.road = () => ({});
    time.ms = 2 * MINUTE_MS;
    await vi.waitFor(() => {
      one.tick();
      expect(uses.removals).toEqual([2, 0]);
    });
    expect(warnings).toHaveLength(1);
    await one.close();
  });
});
