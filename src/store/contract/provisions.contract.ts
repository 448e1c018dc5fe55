import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { ownershipOf } from "../../core/keys/ownership.ts";
import { enterProvisionState } from "../../core/provisioning/provision.ts";
import type { ProvisionRecord } from "../provision-repository.ts";
import { UniqueViolationError } from "../store.ts";
import { type CreateTestDatabase, readAll, useDatabase } from "./fixture.contract.ts";
import { ids, insertBelongings, SAMPLE_TIME_MS } from "./samples.contract.ts";

type Belongings = Awaited<ReturnType<typeof insertBelongings>>;

function sampleProvision(
  { environment, account }: Pick<Belongings, "environment" | "account">,
  overrides: Partial<ProvisionRecord> = {},
): ProvisionRecord {
  const id = ids.create("pvn");
  return {
    id,
    environmentId: environment.id,
    accountId: account.id,
    keyId: ids.create("pky"),
    keyName: "main",
    revision: 0,
    state: "project",
    stateSinceMs: SAMPLE_TIME_MS,
    attempts: 0,
    nextAttemptAtMs: SAMPLE_TIME_MS,
    problem: null,
    failedIn: null,
    endedAtMs: null,
    remoteName: `keyward-${id}`,
    limits: {
      spend: { monthlyCents: 100_00, budgetId: ids.create("bud") },
      models: ["gpt-4o*"],
      rate: { requestsPerMinute: 5, tokensPerMinute: null },
    },
    outcomes: [],
    projectId: null,
    secret: null,
    isVerified: false,
    isHeld: false,
    lateLook: null,
    notes: [{ atMs: SAMPLE_TIME_MS, state: "project", text: "begun" }],
    createdBy: "local",
    createdAtMs: SAMPLE_TIME_MS,
    ...overrides,
  };
}

const lookAt = (atMs: number | null) => ({
  state: "done" as const,
  endedAtMs: SAMPLE_TIME_MS,
  lateLook: { atMs, failures: 2, problem: "no answer", deleted: ["key_9"] },
});

export function describeProvisions(createDatabase: CreateTestDatabase): void {
  describe("provisions", () => {
    const fixture = useDatabase(createDatabase);

    test("come back as they were inserted and as they were saved, the seal included", async () => {
      const { store } = fixture;
      const { provisions } = store.rotation;
      const of = await insertBelongings(store);
      const provision = sampleProvision(of);
      await provisions.insert(provision);
      expect(await provisions.findById(provision.id)).toEqual(provision);
      expect(await provisions.findOpenOf(of.environment.id)).toEqual(provision);
      const saved = await provisions.save({
        ...enterProvisionState(provision, "limits", SAMPLE_TIME_MS + 5),
        projectId: "proj_1",
        outcomes: [{ limit: "spend", isSet: false, text: "refused" }],
        secret: {
          version: 1,
          preview: "sk-svcacct-…1234",
          fingerprint: "f",
          sealed: {
            dataKeyId: of.dataKey.id,
            nonce: new Uint8Array(randomBytes(12)),
            ciphertext: new Uint8Array(randomBytes(60)),
          },
          remote: { keyId: "key_1", projectId: "proj_1", serviceAccountId: "sa_1" },
          ownership: ownershipOf({ adminOwnerType: "service_account" }),
        },
        isVerified: true,
      });
      expect(saved).toMatchObject({ revision: 1, state: "limits", projectId: "proj_1" });
      expect(await provisions.findById(provision.id)).toEqual(saved);
    });

    test("are changed by nobody who has seen an older revision, of many at once by one", async () => {
      const { store, database } = fixture;
      const provision = sampleProvision(await insertBelongings(store));
      await store.rotation.provisions.insert(provision);
      const answers = await Promise.all(
        Array.from({ length: 4 }, (_, i) =>
          database.open().rotation.provisions.save({ ...provision, problem: `driver ${i}` }),
        ),
      );
      expect(answers.filter((answer) => answer !== undefined)).toHaveLength(1);
      expect(await store.rotation.provisions.save(provision)).toBeUndefined();
    });

    test("have one open an environment: of two at once one is refused, and the next comes after its end", async () => {
      const { store, database } = fixture;
      const of = await insertBelongings(store);
      const answers = await Promise.allSettled(
        [sampleProvision(of), sampleProvision(of)].map((one) =>
          database.open().rotation.provisions.insert(one),
        ),
      );
      const refused = answers.filter((answer) => answer.status === "rejected");
      expect(refused).toHaveLength(1);
      expect(refused[0]?.reason).toBeInstanceOf(UniqueViolationError);
      expect(refused[0]?.reason).toMatchObject({ field: "environmentId" });
      const open = await store.rotation.provisions.findOpenOf(of.environment.id);
      if (open === undefined) throw new Error("one is open");
      expect(await store.rotation.provisions.listOpenIds()).toEqual([open.id]);
      await store.rotation.provisions.save({ ...open, endedAtMs: SAMPLE_TIME_MS });
      expect(await store.rotation.provisions.listOpenIds()).toEqual([]);
      await store.rotation.provisions.insert(sampleProvision(of));
    });

    test("are looked after once more when they have ended, the most urgent first", async () => {
      const { provisions } = fixture.store.rotation;
      const of = await insertBelongings(fixture.store);
      const later = sampleProvision(of, lookAt(20));
      const soon = sampleProvision(of, lookAt(10));
      const all = [later, soon, sampleProvision(of, lookAt(null)), sampleProvision(of)];
      for (const provision of all) await provisions.insert(provision);
      expect(await provisions.listLookIds()).toEqual([soon.id, later.id]);
      expect(await provisions.listLookIds(10)).toEqual([soon.id]);
      expect(await provisions.findById(soon.id)).toEqual(soon);
      await provisions.save({ ...soon, ...lookAt(null) });
      expect(await provisions.listLookIds()).toEqual([later.id]);
    });

    test("are listed to the end, newest first", async () => {
      const { store } = fixture;
      const of = await insertBelongings(store);
      const all = Array.from({ length: 5 }, (_, i) =>
        sampleProvision(of, { createdAtMs: SAMPLE_TIME_MS + i, endedAtMs: SAMPLE_TIME_MS + i }),
      );
      for (const provision of all) await store.rotation.provisions.insert(provision);
      const rows = await readAll(2, (page) => store.rotation.provisions.list(page));
      expect(rows.map(({ id }) => id)).toEqual(all.toReversed().map(({ id }) => id));
    });
  });
}
