import { describe, expect, test } from "vitest";
import { InvalidCursorError, MAX_PAGE_SIZE, UniqueViolationError } from "../store.ts";
import { changesSince, type CreateTestDatabase, readAll, useDatabase } from "./fixture.contract.ts";
import {
  ids,
  SAMPLE_TIME_MS,
  sampleAccount,
  sampleAdminToken,
  sampleCustomer,
  sampleEnvironment,
  sampleProject,
} from "./samples.contract.ts";

/** Newest first by (createdAtMs, id): the order of every list of records. */
export function newestFirst<Row extends { readonly id: string; readonly createdAtMs: number }>(
  rows: readonly Row[],
): readonly Row[] {
  return rows.toSorted((a, b) => b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1));
}

/** A cursor that no store has issued. */
function forge(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

export function describeConfiguration(createDatabase: CreateTestDatabase): void {
  describe("projects, environments, accounts and customers", () => {
    const fixture = useDatabase(createDatabase);

    test("come back as they were inserted, by id and by name", async () => {
      const { store } = fixture;
      const project = sampleProject({ name: "Größe 漢字 🙂 'quoted' %_" });
      await store.projects.insert(project);
      expect(await store.projects.findById(project.id)).toEqual(project);
      expect(await store.projects.findByName(project.name)).toEqual(project);

      const environment = sampleEnvironment({ kind: "production" });
      await store.environments.insert(environment);
      expect(await store.environments.findById(environment.id)).toEqual(environment);
      expect(await store.environments.findByName(environment.name)).toEqual(environment);

      const full = sampleAccount({
        baseUrl: "https://api.example.test/v1",
        providerProjectId: "p",
        apiVersion: "2024-10-21",
        pricedAs: "groq",
      });
      const sparse = sampleAccount({ kind: "personal", organizationId: null });
      await store.providerAccounts.insert(full);
      await store.providerAccounts.insert(sparse);
      expect(await store.providerAccounts.findById(full.id)).toEqual(full);
      expect(await store.providerAccounts.findByName(sparse.name)).toEqual(sparse);

      const customer = sampleCustomer({ name: "Acme" });
      await store.customers.insert(customer);
      expect(await store.customers.findById(customer.id)).toEqual(customer);
      expect(await store.customers.findByExternalId(customer.externalId)).toEqual(customer);
    });

    test("are undefined when they are not there, and names are told apart by case", async () => {
      const { store } = fixture;
      await store.projects.insert(sampleProject({ name: "Default" }));
      expect(await store.projects.findByName("default")).toBeUndefined();
      expect(await store.projects.findById(ids.create("prj"))).toBeUndefined();
      expect(await store.environments.findById(ids.create("env"))).toBeUndefined();
      expect(await store.environments.findByName("x")).toBeUndefined();
      expect(await store.providerAccounts.findById(ids.create("acc"))).toBeUndefined();
      expect(await store.providerAccounts.findByName("x")).toBeUndefined();
      expect(await store.customers.findById(ids.create("cus"))).toBeUndefined();
      expect(await store.customers.findByExternalId("x")).toBeUndefined();
    });

    test("refuse a name, external id or id that is taken, naming the field, and keep the first", async () => {
      const { store } = fixture;
      const project = sampleProject();
      const environment = sampleEnvironment();
      const account = sampleAccount();
      const customer = sampleCustomer();
      await store.projects.insert(project);
      await store.environments.insert(environment);
      await store.providerAccounts.insert(account);
      await store.customers.insert(customer);
      const before = await store.changes.latestSequence();
      const { name } = project;
      const { externalId } = customer;
      const attempts: readonly [string, () => Promise<void>][] = [
        ["name", () => store.projects.insert(sampleProject({ name }))],
        ["id", () => store.projects.insert(sampleProject({ id: project.id }))],
        ["name", () => store.environments.insert(sampleEnvironment({ name: environment.name }))],
        ["name", () => store.providerAccounts.insert(sampleAccount({ name: account.name }))],
        ["externalId", () => store.customers.insert(sampleCustomer({ externalId }))],
      ];
      for (const [field, attempt] of attempts) {
        const refused = await attempt().catch((error: unknown) => error);
        expect(refused).toBeInstanceOf(UniqueViolationError);
        expect(refused).toMatchObject({ field });
      }
      expect(await store.projects.findByName(name)).toEqual(project);
      expect(await store.customers.findByExternalId(externalId)).toEqual(customer);
      expect(await store.changes.latestSequence()).toBe(before);
    });

    test("are listed newest first to the end, whatever the page size, also where their times tie", async () => {
      const { store } = fixture;
      const times = [5, 3, 3, 3, 9, 3, 1].map((offset) => SAMPLE_TIME_MS + offset);
      const projects = times.map((createdAtMs) => sampleProject({ createdAtMs }));
      const environments = times.map((createdAtMs) => sampleEnvironment({ createdAtMs }));
      const accounts = times.map((createdAtMs) => sampleAccount({ createdAtMs }));
      const customers = times.map((createdAtMs) => sampleCustomer({ createdAtMs }));
      for (const project of projects) await store.projects.insert(project);
      for (const environment of environments) await store.environments.insert(environment);
      for (const account of accounts) await store.providerAccounts.insert(account);
      for (const customer of customers) await store.customers.insert(customer);
      for (const limit of [1, 2, 3, 7, MAX_PAGE_SIZE]) {
        expect(await readAll(limit, (page) => store.projects.list(page))).toEqual(
          newestFirst(projects),
        );
        expect(await readAll(limit, (page) => store.environments.list(page))).toEqual(
          newestFirst(environments),
        );
        expect(await readAll(limit, (page) => store.providerAccounts.list(page))).toEqual(
          newestFirst(accounts),
        );
        expect(await readAll(limit, (page) => store.customers.list(page))).toEqual(
          newestFirst(customers),
        );
      }
    });

    test("go on after a row that was read last, though newer ones came in between", async () => {
      const { store } = fixture;
      const projects = [1, 2, 3].map((at) => sampleProject({ createdAtMs: SAMPLE_TIME_MS + at }));
      for (const project of projects) await store.projects.insert(project);
      const first = await store.projects.list({ limit: 2 });
      await store.projects.insert(sampleProject({ createdAtMs: SAMPLE_TIME_MS + 9 }));
      const second = await store.projects.list({ limit: 2, cursor: first.nextCursor ?? "" });
      expect(second.rows).toEqual([projects[0]]);
      expect(second.nextCursor).toBeNull();
    });

    test("refuse a cursor of another list, a forged one and one that is not a cursor", async () => {
      const { store } = fixture;
      for (let i = 0; i < 2; i += 1) {
        await store.projects.insert(sampleProject());
        await store.customers.insert(sampleCustomer());
      }
      const { nextCursor } = await store.projects.list({ limit: 1 });
      expect(nextCursor).not.toBeNull();
      await expect(
        store.customers.list({ limit: 1, cursor: nextCursor ?? "" }),
      ).rejects.toBeInstanceOf(InvalidCursorError);
      for (const cursor of [
        "",
        "null",
        "🙂",
        `${nextCursor}A`,
        forge(null),
        forge(["projects"]),
        forge(["projects", "1", "x"]),
        forge(["projects", 1.5, "x"]),
        forge(["projects", 1, { toString: "x" }]),
        forge(["projects", 1, "x", "y"]),
        "A".repeat(1_000_000),
      ]) {
        await expect(store.projects.list({ limit: 1, cursor })).rejects.toBeInstanceOf(
          InvalidCursorError,
        );
      }
    });

    test("are never listed without a limit in bounds", async () => {
      for (const limit of [0, -1, 1.5, Number.NaN, MAX_PAGE_SIZE + 1]) {
        await expect(fixture.store.projects.list({ limit })).rejects.toBeInstanceOf(RangeError);
      }
    });

    test("note a change for all that other processes keep in memory", async () => {
      const { store } = fixture;
      const environment = sampleEnvironment();
      const account = sampleAccount();
      const customer = sampleCustomer();
      await store.projects.insert(sampleProject());
      await store.environments.insert(environment);
      await store.providerAccounts.insert(account);
      await store.customers.insert(customer);
      expect(await changesSince(store, 0)).toEqual([
        `environment ${environment.id}`,
        `providerAccount ${account.id}`,
        `customer ${customer.id}`,
      ]);
    });
  });

  describe("admin tokens", () => {
    const fixture = useDatabase(createDatabase);

    test("are found by hash while they are active, and all revoked at once", async () => {
      const { store } = fixture;
      const tokens = [sampleAdminToken(), sampleAdminToken()];
      for (const token of tokens) await store.adminTokens.insert(token);
      const [first] = tokens;
      expect(await store.adminTokens.findActiveByHash(first?.hash ?? "")).toEqual(first);
      expect(await store.adminTokens.findActiveByHash("0".repeat(64))).toBeUndefined();
      expect(await store.adminTokens.revokeAll(SAMPLE_TIME_MS + 1)).toBe(2);
      expect(await store.adminTokens.revokeAll(SAMPLE_TIME_MS + 2)).toBe(0);
      for (const token of tokens) {
        expect(await store.adminTokens.findActiveByHash(token.hash)).toBeUndefined();
      }
      await expect(
        store.adminTokens.insert(sampleAdminToken({ hash: first?.hash ?? "" })),
      ).rejects.toMatchObject({ field: "hash" });
    });
  });
}
