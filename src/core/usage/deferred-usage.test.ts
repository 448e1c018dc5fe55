import { describe, expect, it } from "vitest";
import { IdFactory, isId } from "../ids/ids.ts";
import { deferredEventId } from "./deferred-usage.ts";

const ids = new IdFactory({ nowMs: () => 1, randomBytes: (count) => new Uint8Array(count) });
const accountId = ids.create("acc");

describe("deferredEventId", () => {
  it("gives one piece of work the same event ids at any time and place", () => {
    const id = deferredEventId({ accountId, objectId: "resp_1" }, 0);
    expect(isId("evt", id)).toBe(true);
    expect(deferredEventId({ accountId, objectId: "resp_1" }, 0)).toBe(id);
  });

  it("gives other work, the same id at another account, and other parts other ids", () => {
    const works = [
      deferredEventId({ accountId, objectId: "resp_1" }, 0),
      deferredEventId({ accountId, objectId: "resp_1" }, 1),
      deferredEventId({ accountId, objectId: "resp_11" }, 0),
      deferredEventId({ accountId: null, objectId: "resp_1" }, 0),
      deferredEventId({ accountId: ids.create("acc"), objectId: "resp_1" }, 0),
    ];
    expect(new Set(works).size).toBe(works.length);
    for (const id of works) expect(isId("evt", id)).toBe(true);
  });
});
