import { expect, it } from "vitest";
import { adminUnderTest } from "../../test/support/admin-under-test.ts";
import { isId } from "../core/ids/ids.ts";
import { sampleRotation } from "../store/contract/rotations.contract.ts";
import type { RotationRecord } from "../store/rotation-records.ts";
import { beginRotation } from "./begin-rotation.ts";

const admin = adminUnderTest();

/** What a second rotation is answered while one is in this state. */
async function conflictWhile(changes: Partial<RotationRecord>, isCompromise: boolean) {
  await admin.post("/provider-accounts", {
    name: "main",
    provider: "openai",
    kind: "organization",
  });
  const secret = ["sk", "proj", admin.deps.ids.create("req").repeat(2)].join("-");
  const body = { accountId: "main", environment: "production", name: "main", secret };
  const { id } = (await admin.post("/provider-keys", body)).body as { id: string };
  if (!isId("pky", id)) throw new Error("the key was not added");
  const key = (await admin.store.providerKeys.findById(id)) ?? expect.fail("no key");
  await admin.store.rotation.rotations.insert(sampleRotation(key, changes));
  const times = { observeMs: 0, graceMs: 0, trigger: "request", createdBy: "local" } as const;
  const asked = { key, secret: undefined, isCompromise, ...times };
  return await beginRotation({ ...admin.deps, nowMs: () => admin.nowMs }, asked);
}

const endingWith = (command: string) => ({
  param: "id",
  conflict: expect.stringMatching(
    new RegExp(`See \`keyward rotations ${command} rot_\\w+\`\\.$`),
  ) as string,
});

it.each(["observe", "grace"] as const)(
  "a leak while a rotation is in %s is answered with how the old secret is ended, not with going back to it",
  async (state) => {
    expect(await conflictWhile({ state }, true)).toEqual(endingWith("revoke-old"));
  },
);

it("where the rotation can only be called off, as with a wrong secret, cancelling is named", async () => {
  const failed = { state: "failed", failedIn: "test", way: "assisted" } as const;
  expect(await conflictWhile(failed, true)).toEqual(endingWith("cancel"));
});

it.each([
  ["grace", false],
  ["revoke", true],
] as const)(
  "in %s, with a compromise: %s, there is nothing to do but to wait",
  async (state, is) => {
    expect(await conflictWhile({ state }, is)).toEqual(endingWith("show"));
  },
);
