import { describe, expect, it } from "vitest";
import { IdFactory } from "../ids/ids.ts";
import { AbsenceWatch } from "./absence.ts";

const ids = new IdFactory({ nowMs: () => 0, randomBytes: (count) => new Uint8Array(count) });
const [one, other] = [ids.create("prc"), ids.create("prc")];

function watch(): AbsenceWatch {
  return new AbsenceWatch({ confirmMs: 30_000, maxGapMs: 10_000 });
}

/** Looks every five seconds from `fromMs` until `toMs`; the last answer. */
function lookOn(of: AbsenceWatch, heartbeatAtMs: number, fromMs: number, toMs: number) {
  let absent: readonly { readonly id: string }[] = [];
  for (let atMs = fromMs; atMs <= toMs; atMs += 5_000) {
    absent = of.look([{ id: one, heartbeatAtMs }], atMs);
  }
  return absent.map(({ id }) => id);
}

describe("AbsenceWatch", () => {
  it("believes that a process is absent once its heartbeat has stood still under its eyes", () => {
    const watching = watch();
    expect(lookOn(watching, 1_000, 0, 25_000)).toEqual([]);
    expect(lookOn(watching, 1_000, 30_000, 30_000)).toEqual([one]);
  });

  it("begins anew with every heartbeat, also one that a clock set back made older", () => {
    const watching = watch();
    lookOn(watching, 9_000, 0, 25_000);
    expect(lookOn(watching, 1_000, 30_000, 55_000)).toEqual([]);
    expect(lookOn(watching, 1_000, 60_000, 60_000)).toEqual([one]);
  });

  it("begins anew after it could not look for a while, as when the store was away", () => {
    const watching = watch();
    lookOn(watching, 1_000, 0, 25_000);
    expect(lookOn(watching, 1_000, 900_000, 925_000)).toEqual([]);
    expect(lookOn(watching, 1_000, 930_000, 930_000)).toEqual([one]);
  });

  it("begins anew with a process that was no suspect in between, and keeps processes apart", () => {
    const watching = watch();
    lookOn(watching, 1_000, 0, 25_000);
    watching.look([{ id: other, heartbeatAtMs: 1_000 }], 27_000);
    const suspects = [one, other].map((id) => ({ id, heartbeatAtMs: 1_000 }));
    for (let atMs = 30_000; atMs < 57_000; atMs += 9_000)
      expect(watching.look(suspects, atMs)).toEqual([]);
    expect(watching.look(suspects, 57_000)).toMatchObject([{ id: other }]);
  });
});
