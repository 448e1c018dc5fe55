import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isRetryable } from "../resumable/resumable.ts";
import { nextStep, REFUSED_IN_USE, type SecretSightings } from "./next-step.ts";
import {
  afterTrouble,
  enterState,
  isCancellable,
  retried,
  ROTATION_STATES,
  type RotationProgress,
} from "./rotation.ts";

const NOW_MS = 1_000_000;
const UNSEEN: SecretSightings = { hasWorked: false, isRefused: false, isUsed: false };

const rotationIn = (
  state: RotationProgress["state"],
  changes: Partial<RotationProgress> = {},
): RotationProgress => ({
  state,
  way: "automatic",
  isCompromise: false,
  observeMs: 60_000,
  graceMs: 600_000,
  stateSinceMs: NOW_MS,
  isVerified: true,
  activatedAtMs: null,
  graceUntilMs: null,
  attempts: 0,
  nextAttemptAtMs: NOW_MS,
  problem: null,
  failedIn: null,
  endedAtMs: null,
  ...changes,
});

describe("a rotation", () => {
  test("goes its way to the end, and is over there", () => {
    const way = ["pending", "test", "active", "observe", "grace", "revoke", "done"] as const;
    const end = way.reduce(
      (rotation, state) => enterState(rotation, state, NOW_MS),
      rotationIn("create"),
    );
    expect(end).toMatchObject({ state: "done", endedAtMs: NOW_MS });
    for (const state of ROTATION_STATES) expect(() => enterState(end, state, NOW_MS)).toThrow();
  });

  test("never gets to the deletion of the old secret but through the use or the test of the new one", () => {
    for (const state of ["create", "pending", "test", "undo"] as const) {
      expect(() => enterState(rotationIn(state), "revoke", NOW_MS)).toThrow("cannot go");
    }
    // Only from `active`, which a compromised secret leaves at once, and from the end of the grace.
    expect(enterState(rotationIn("active"), "revoke", NOW_MS).state).toBe("revoke");
    expect(enterState(rotationIn("grace"), "revoke", NOW_MS).state).toBe("revoke");
  });

  test("is tried again later each time, never later than five minutes, and by the provider's own word", () => {
    let rotation = rotationIn("create");
    const waits: number[] = [];
    for (let i = 0; i < 12; i += 1) {
      rotation = afterTrouble(rotation, { problem: "away", isFinal: false }, NOW_MS);
      waits.push(rotation.nextAttemptAtMs - NOW_MS);
    }
    expect(waits.slice(0, 4)).toEqual([2_000, 4_000, 8_000, 16_000]);
    expect(waits.at(-1)).toBe(300_000);
    const asked = { problem: "busy", isFinal: false, retryAfterMs: 30_000 };
    expect(afterTrouble(rotationIn("create"), asked, NOW_MS).nextAttemptAtMs).toBe(NOW_MS + 30_000);
    const endless = { ...asked, retryAfterMs: 1e12 };
    expect(afterTrouble(rotationIn("create"), endless, NOW_MS).nextAttemptAtMs).toBe(
      NOW_MS + 300_000,
    );
  });

  test("waits for a person where nothing else helps, and goes on from where it stopped", () => {
    const failed = afterTrouble(rotationIn("grace"), { problem: "no", isFinal: true }, NOW_MS);
    expect(failed).toMatchObject({ state: "failed", failedIn: "grace", problem: "no" });
    expect(failed.endedAtMs).toBeNull();
    expect(nextStep(failed, UNSEEN, NOW_MS)).toEqual({ do: "wait", untilMs: null });
    expect(isRetryable(failed)).toBe(true);
    expect(retried(failed, NOW_MS)).toMatchObject({ state: "grace", problem: null, attempts: 0 });
  });

  test("can be called off until the old secret is being deleted, and not twice", () => {
    const cancellable = ROTATION_STATES.filter((state) => isCancellable(rotationIn(state)));
    expect(cancellable).toEqual(["create", "pending", "test", "active", "observe", "grace"]);
    expect(isCancellable(rotationIn("failed", { failedIn: "test" }))).toBe(true);
    expect(isCancellable(rotationIn("failed", { failedIn: "revoke" }))).toBe(false);
    expect(isCancellable(rotationIn("failed", { failedIn: "undo" }))).toBe(false);
  });
});

describe("the next step", () => {
  test("waits until the next try is due, whatever the state", () => {
    const rotation = rotationIn("create", { attempts: 1, nextAttemptAtMs: NOW_MS + 5 });
    expect(nextStep(rotation, UNSEEN, NOW_MS)).toEqual({ do: "wait", untilMs: NOW_MS + 5 });
    expect(nextStep(rotation, UNSEEN, NOW_MS + 5)).toEqual({ do: "create" });
  });

  test("lets the old secret go when a call was answered with the new one, at once", () => {
    const rotation = rotationIn("observe", { activatedAtMs: NOW_MS });
    const seen = { ...UNSEEN, hasWorked: true, isUsed: true };
    expect(nextStep(rotation, seen, NOW_MS)).toEqual({ do: "begin_grace" });
  });

  test("where nobody calls, goes on after a while with a secret that was tested, and with no other", () => {
    const rotation = rotationIn("observe", { activatedAtMs: NOW_MS });
    expect(nextStep(rotation, UNSEEN, NOW_MS)).toEqual({ do: "wait", untilMs: NOW_MS + 60_000 });
    expect(nextStep(rotation, UNSEEN, NOW_MS + 60_000)).toEqual({ do: "begin_grace" });
    const untested = { ...rotation, isVerified: false };
    expect(nextStep(untested, UNSEEN, NOW_MS + 60_000)).toEqual({ do: "wait", untilMs: null });
  });

  test("does not go on while calls come and none is answered, however long", () => {
    const rotation = rotationIn("observe", { activatedAtMs: NOW_MS });
    const unanswered = { ...UNSEEN, isUsed: true };
    expect(nextStep(rotation, unanswered, NOW_MS + 1e9)).toEqual({ do: "wait", untilMs: null });
  });

  test("turns back when the provider refuses the new secret in use", () => {
    const rotation = rotationIn("observe", { activatedAtMs: NOW_MS });
    const refused = { hasWorked: false, isRefused: true, isUsed: true };
    expect(nextStep(rotation, refused, NOW_MS)).toEqual({
      do: "turn_back",
      problem: REFUSED_IN_USE,
    });
  });

  test("keeps both secrets until the grace has passed", () => {
    const rotation = rotationIn("grace", { graceUntilMs: NOW_MS + 10 });
    expect(nextStep(rotation, UNSEEN, NOW_MS + 9)).toEqual({ do: "wait", untilMs: NOW_MS + 10 });
    expect(nextStep(rotation, UNSEEN, NOW_MS + 10)).toEqual({ do: "end_grace" });
  });

  test("goes back to the old secret before it deletes the new one", () => {
    const switched = rotationIn("undo", { activatedAtMs: NOW_MS });
    expect(nextStep(switched, UNSEEN, NOW_MS)).toEqual({ do: "switch_back" });
    const back = { ...switched, activatedAtMs: null, graceUntilMs: NOW_MS + 10 };
    expect(nextStep(back, UNSEEN, NOW_MS)).toEqual({ do: "wait", untilMs: NOW_MS + 10 });
    expect(nextStep(back, UNSEEN, NOW_MS + 10)).toEqual({ do: "delete_new" });
  });

  test("is never a deletion of the old secret in another state than `revoke`", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ROTATION_STATES),
        fc.record({ hasWorked: fc.boolean(), isRefused: fc.boolean(), isUsed: fc.boolean() }),
        fc.record({
          activatedAtMs: fc.option(fc.nat(2_000_000)),
          graceUntilMs: fc.option(fc.nat(2_000_000)),
          isVerified: fc.boolean(),
        }),
        (state, sightings, changes) => {
          const rotation = rotationIn(state, changes);
          const step = nextStep(rotation, sightings, NOW_MS);
          expect(step.do === "revoke").toBe(state === "revoke");
        },
      ),
    );
  });
});
