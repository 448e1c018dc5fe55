import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Circuit, type CircuitRule, type CircuitTicket } from "./circuit.ts";

const RULE: CircuitRule = {
  consecutiveFailures: 3,
  failureRatio: 0.5,
  minCalls: 10,
  windowMs: 1000,
  firstOpenMs: 100,
  maxOpenMs: 400,
  probeMs: 50,
};

function openedAt(nowMs: number): Circuit {
  const circuit = new Circuit(RULE);
  for (let i = 0; i < RULE.consecutiveFailures; i += 1) circuit.failed(circuit.enter(nowMs), nowMs);
  return circuit;
}

describe("a circuit", () => {
  it("opens after so many failures in a row, and not before", () => {
    const circuit = new Circuit(RULE);
    circuit.failed(circuit.enter(0), 0);
    circuit.failed(circuit.enter(0), 0);
    circuit.succeeded(circuit.enter(0), 0);
    circuit.failed(circuit.enter(0), 0);
    circuit.failed(circuit.enter(0), 0);
    expect(circuit.phase(0)).toBe("closed");
    circuit.failed(circuit.enter(0), 0);
    expect(circuit.phase(0)).toBe("open");
    expect(circuit.opensAgainAtMs()).toBe(100);
  });

  it("opens when half of a window's calls fail, however few in a row", () => {
    const circuit = new Circuit(RULE);
    for (let i = 0; i < 5; i += 1) {
      circuit.succeeded(circuit.enter(i), i);
      expect(circuit.phase(i)).toBe("closed");
      circuit.failed(circuit.enter(i), i);
    }
    expect(circuit.phase(5)).toBe("open");
  });

  it("forgets a window that is over", () => {
    const circuit = new Circuit(RULE);
    for (let i = 0; i < 40; i += 1) {
      const nowMs = i * 600;
      circuit.succeeded(circuit.enter(nowMs), nowMs);
      circuit.failed(circuit.enter(nowMs), nowMs);
    }
    expect(circuit.phase(24_000)).toBe("closed");
  });

  it("lets one probe through after its time, and closes when that succeeds", () => {
    const circuit = openedAt(0);
    expect(circuit.phase(99)).toBe("open");
    expect(circuit.phase(100)).toBe("half-open");
    const probe = circuit.enter(100);
    expect(circuit.phase(100)).toBe("open");
    circuit.succeeded(probe, 110);
    expect(circuit.phase(110)).toBe("closed");
  });

  it("stays open twice as long after each probe that fails, up to a limit", () => {
    const circuit = openedAt(0);
    let nowMs = 0;
    for (const openMs of [100, 200, 400, 400]) {
      expect(circuit.phase(nowMs + openMs - 1)).toBe("open");
      nowMs += openMs;
      circuit.failed(circuit.enter(nowMs), nowMs);
    }
  });

  it("sends another probe where one said nothing, and does not believe the first any more", () => {
    const circuit = openedAt(0);
    const lost = circuit.enter(100);
    expect(circuit.phase(149)).toBe("open");
    expect(circuit.phase(150)).toBe("half-open");
    circuit.enter(150);
    circuit.succeeded(lost, 160);
    expect(circuit.phase(160)).toBe("open");
  });

  it("sends another probe at once where one was left by its client", () => {
    const circuit = openedAt(0);
    circuit.left(circuit.enter(100));
    expect(circuit.phase(100)).toBe("half-open");
  });

  it("is not moved by calls that began before it opened", () => {
    const circuit = new Circuit(RULE);
    const early = circuit.enter(0);
    for (let i = 0; i < 3; i += 1) circuit.failed(circuit.enter(0), 0);
    circuit.succeeded(early, 1);
    expect(circuit.phase(1)).toBe("open");
    circuit.failed(early, 1);
    expect(circuit.opensAgainAtMs()).toBe(100);
  });

  it("never opens where failures do not count", () => {
    const circuit = new Circuit({ ...RULE, consecutiveFailures: 0 });
    for (let i = 0; i < 100; i += 1) circuit.failed(circuit.enter(0), 0);
    expect(circuit.phase(0)).toBe("closed");
  });
});

/** Any calls at all, as the data plane makes them: it enters only where the phase is not open. */
type Step =
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "enter" }
  | { readonly do: "end"; readonly which: number; readonly how: "succeeded" | "failed" | "left" };
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 300 }) }),
    fc.record({ do: fc.constant("enter" as const) }),
    fc.record({
      do: fc.constant("end" as const),
      which: fc.nat(),
      how: fc.constantFrom("succeeded" as const, "failed" as const, "left" as const),
    }),
  ),
  { maxLength: 200 },
);

describe("whatever calls come and go, a circuit", () => {
  it("has one probe under way at most, opens for no longer than its limit, and always closes again", () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const circuit = new Circuit(RULE);
        const underWay: CircuitTicket[] = [];
        let nowMs = 0;
        let probe: { readonly ticket: CircuitTicket; readonly atMs: number } | undefined;
        for (const step of sequence) {
          if (step.do === "wait") {
            nowMs += step.ms;
          } else if (step.do === "enter") {
            const phase = circuit.phase(nowMs);
            if (phase === "open") continue;
            const ticket = circuit.enter(nowMs);
            underWay.push(ticket);
            if (phase === "half-open") {
              // The one before has ended, or has had its time.
              expect(probe === undefined || nowMs - probe.atMs >= RULE.probeMs).toBe(true);
              probe = { ticket, atMs: nowMs };
              expect(circuit.phase(nowMs)).toBe("open");
            }
          } else if (underWay.length > 0) {
            const [ticket = -1] = underWay.splice(step.which % underWay.length, 1);
            if (step.how === "left") circuit.left(ticket);
            else circuit[step.how](ticket, nowMs);
            if (ticket === probe?.ticket) probe = undefined;
          }
          expect(circuit.phase(nowMs + RULE.maxOpenMs)).not.toBe("open");
        }
        nowMs += RULE.maxOpenMs;
        circuit.succeeded(circuit.enter(nowMs), nowMs);
        expect(circuit.phase(nowMs)).toBe("closed");
      }),
      { numRuns: 500 },
    );
  });
});
