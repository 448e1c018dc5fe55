import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { adminUnderTest } from "../../test/support/admin-under-test.ts";
import { expectData } from "../admin/client.ts";
import { sampleRotation } from "../store/contract/rotations.contract.ts";
import { insertBelongings, sampleProviderKey } from "../store/contract/samples.contract.ts";
import type { RotationRecord } from "../store/rotation-records.ts";
import { checkKeys } from "./doctor/check-installation.ts";
import { describeRotation } from "./follow-rotation.ts";
import { Output } from "./output.ts";

describe("a rotation that has ended", () => {
  const admin = adminUnderTest();

  async function insertEnded(changes: Partial<RotationRecord>): Promise<RotationRecord> {
    const key = sampleProviderKey(await insertBelongings(admin.store));
    await admin.store.providerKeys.insert(key);
    const endedAtMs = admin.nowMs;
    const rotation = sampleRotation(key, { state: "done", endedAtMs, ...changes });
    await admin.store.rotation.rotations.insert(rotation);
    return rotation;
  }

  /** What a command says of it at the end, on both outputs. */
  async function saidOf({ id }: RotationRecord): Promise<string> {
    const params = { path: { id } };
    const rotation = expectData(await admin.client.GET("/rotations/{id}", { params }));
    const out = new PassThrough();
    const hasColor = { stdout: false, stderr: false };
    describeRotation(rotation, new Output({ stdout: out, stderr: out, hasColor }, false));
    out.end();
    return await text(out);
  }

  test("says plainly that a stolen secret is still to be deleted, where, and what ends the reminder", async () => {
    const stolen = { isCompromise: true, oldCheckAtMs: admin.nowMs } as const;
    const rotation = await insertEnded({ ...stolen, oldFate: "valid" });
    const said = await saidOf(rotation);
    const remedy = `delete it at https://platform.openai.com/api-keys; then keyward rotations confirm-revoked ${rotation.id}`;
    expect(said).toContain(`the stolen secret, ${rotation.old.preview}, is still valid`);
    expect(said).toContain(remedy);
    const checks = (await checkKeys(admin.client)).filter(({ status }) => status === "fail");
    expect(checks).toMatchObject([{ name: "stolen secret", remedy }]);
  });

  test("says first to call off one whose secret was brought and is not taken: another try of it helps least", async () => {
    const failed = { state: "failed", failedIn: "test", endedAtMs: null } as const;
    const rotation = await insertEnded({ ...failed, way: "assisted", problem: "refused (401)" });
    expect(await saidOf(rotation)).toContain(
      `next: keyward rotations cancel ${rotation.id}, then rotate with another secret`,
    );
  });

  test("says of any other old secret what has become of it, and fails no check of the doctor", async () => {
    const refused = await saidOf(await insertEnded({ isCompromise: true, oldFate: "refused" }));
    expect(refused).toContain("is refused by the provider");
    const valid = await saidOf(await insertEnded({ oldFate: "valid" }));
    expect(valid).toContain("delete the old key");
    expect(valid).not.toContain("confirm-revoked");
    const checks = await checkKeys(admin.client);
    expect(checks.filter(({ status }) => status === "fail")).toEqual([]);
  });
});
