import { expect, it } from "vitest";
import type { LimitId } from "../../core/ids/ids.ts";
import type { Limit } from "../../core/limits/limit.ts";
import { CountedBy } from "./counted-by.ts";
import { LocalUse } from "./local-use.ts";

function countedBy(amounts: Pick<Limit, "requestsPerMinute" | "tokensPerMinute">): CountedBy {
  const id = "lim_1" as LimitId;
  const limit: Limit = {
    id,
    scope: { kind: "organization", id: null },
    concurrency: null,
    ...amounts,
  };
  return new CountedBy([new LocalUse(limit, "", "prc_1")]);
}

/** What calls are told that come at these moments, one of them each. */
function remainingAt(counted: CountedBy, moments: readonly number[]): (number | undefined)[] {
  return moments.map((nowMs) => {
    counted.uses[0]?.requests?.takeOfShare(1, nowMs);
    return counted.ratesAt(nowMs).requests?.remaining;
  });
}

it("tells each call what is left with it", () => {
  const counted = countedBy({ requestsPerMinute: 1_000, tokensPerMinute: null });
  expect(remainingAt(counted, [0, 1, 2])).toEqual([999, 998, 997]);
});

it("tells calls of one moment the same while there is plenty of everything", () => {
  const plenty = countedBy({ requestsPerMinute: 5_000, tokensPerMinute: null });
  expect(remainingAt(plenty, [0, 1, 9, 10])).toEqual([4_999, 4_999, 4_999, 4_996]);
  const few = countedBy({ requestsPerMinute: 5_000, tokensPerMinute: 999_999 });
  expect(remainingAt(few, [0, 1])).toEqual([4_999, 4_998]);
});
