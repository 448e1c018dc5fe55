import { beforeEach, describe, expect, test } from "vitest";
import { adminUnderTest } from "../../../test/support/admin-under-test.ts";
import { OpenaiDouble } from "../../../test/support/openai-double.ts";
import {
  addDoubledAccount,
  driverDeps,
  sampleProvisionOf,
} from "../../../test/support/rotation-under-test.ts";
import { enterProvisionState } from "../../core/provisioning/provision.ts";
import type { ProvisionRecord } from "../../store/provision-repository.ts";
import { lookLateAtProvision } from "./look-late-provision.ts";
import { driveProvisionOnce } from "./provision-driver.ts";

describe("what the provider makes after the end of a provision", () => {
  const admin = adminUnderTest();
  let double: OpenaiDouble;
  let deps: ReturnType<typeof driverDeps>;
  let id: ProvisionRecord["id"];
  beforeEach(async () => {
    double = new OpenaiDouble();
    double.addProject("somebody else's");
    const parts = { store: admin.store, vault: admin.vault, ids: admin.deps.ids };
    const account = await addDoubledAccount(parts, double);
    deps = driverDeps(parts, double);
    const environment = await admin.store.environments.findByName("production");
    if (environment === undefined) throw new Error("there is no production");
    const provision = sampleProvisionOf(admin.deps, { environment, account }, deps.nowMs());
    await admin.store.rotation.provisions.insert(provision);
    ({ id } = provision);
  });

  async function find(): Promise<ProvisionRecord> {
    const record = await admin.store.rotation.provisions.findById(id);
    if (record === undefined) throw new Error("the provision is not there");
    return record;
  }

  /** One step or look after the other, as the loop does them. */
  async function runUntilDone(
    drive: typeof driveProvisionOnce,
    isDone: (record: ProvisionRecord) => boolean,
  ): Promise<ProvisionRecord> {
    for (let i = 0; i < 100; i += 1) {
      const record = await find();
      if (isDone(record)) return record;
      const driven = await drive(deps, record);
      if (driven.kind === "waits") deps.skipTo(driven.untilMs ?? 0);
    }
    throw new Error("it does not end");
  }

  const end = () => runUntilDone(driveProvisionOnce, ({ endedAtMs }) => endedAtMs !== null);
  const look = () => runUntilDone(lookLateAtProvision, ({ lateLook }) => lateLook?.atMs == null);

  /** What a process that has died had asked for. */
  function comeLate({ remoteName }: ProvisionRecord, projectId: string): string {
    const account = double.addServiceAccount(projectId, remoteName);
    double.addKey(projectId, account.id, "Secret Key");
    return account.id;
  }

  test("is deleted, and the key that is the environment's stays", async () => {
    const ended = await end();
    const late = comeLate(ended, ended.projectId ?? "");
    const project = double.addProject(ended.remoteName);
    expect(double.keys).toHaveLength(2);
    const looked = await look();
    expect(looked.state).toBe("done");
    expect(looked.lateLook?.deleted.toSorted()).toEqual([project.id, late].toSorted());
    expect(looked.notes.at(-1)?.text).toContain(late);
    expect(double.keys.map((key) => key.id)).toEqual([ended.secret?.remote?.keyId]);
    expect(double.projects.map(({ name }) => name)).toEqual(["somebody else's", ended.remoteName]);
  });

  test("is archived with its project where it was called off", async () => {
    await admin.store.rotation.provisions.save(
      enterProvisionState(await find(), "undo", deps.nowMs()),
    );
    const ended = await end();
    expect(ended.state).toBe("cancelled");
    const project = double.addProject(ended.remoteName);
    comeLate(ended, project.id);
    expect((await look()).lateLook?.deleted).toEqual([project.id]);
    expect(double.projects.map(({ name }) => name)).toEqual(["somebody else's"]);
    expect(double.keys).toEqual([]);
  });

  test("is told of in status while the provider cannot be asked", async () => {
    await end();
    double.fault = () => 503;
    for (let i = 0; i < 8; i += 1) {
      deps.skipTo((await find()).lateLook?.atMs ?? 0);
      await lookLateAtProvision(deps, await find());
    }
    expect((await admin.get("/status")).body).toMatchObject({
      stuckWork: [{ kind: "provision", id, step: "late_look", hasFailed: false }],
    });
    double.fault = undefined;
    expect((await look()).lateLook).toMatchObject({ failures: 0, deleted: [] });
  });
});
