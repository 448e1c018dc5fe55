import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  createLeaseBook,
  createMemoryLeases,
  hardBudget,
} from "../../../test/support/memory-leases.ts";
import type { LeaseSource } from "../../core/budgets/lease.ts";
import type {
  BudgetIncreaseId,
  EnvironmentId,
  GatewayKeyId,
  ProjectId,
} from "../../core/ids/ids.ts";
import { picos } from "../../core/money/picos.ts";

const CALL = {
  projectId: "prj_test" as ProjectId,
  environmentId: "env_test" as EnvironmentId,
  gatewayKeyId: "key_test" as GatewayKeyId,
  customer: null,
  feature: null,
  providerAccountId: null,
};
const ONE_CALL = picos(10n);

it("gives nothing back of what was granted to calls that wait, whatever ends meanwhile", async () => {
  const store = createMemoryLeases();
  const givenBack: bigint[] = [];
  let answered = Promise.resolve();
  const source: LeaseSource = {
    ...store,
    lease: async (request) => {
      await answered;
      return await store.lease(request);
    },
    giveBack: async (holder, amounts) => {
      for (const { picos: amount } of amounts) givenBack.push(amount);
      await store.giveBack(holder, amounts);
    },
  };
  const book = createLeaseBook(source, [hardBudget(100n)]);
  const place = async () => await book.place(book.windowsOf(CALL, null, 0), ONE_CALL);

  const first = await place();
  const gate = Promise.withResolvers<void>();
  answered = gate.promise;
  const burst = Array.from({ length: 200 }, place);
  // Long enough for the request to be on its way.
  await new Promise(setImmediate);
  if (first.kind !== "held") throw new Error(`the first call was answered ${first.kind}`);
  first.release();
  gate.resolve();
  const answers = await Promise.all(burst);
  expect(answers.filter(({ kind }) => kind === "held")).toHaveLength(10);
  expect(givenBack).toEqual([]);
});

describe("an increase that ends", () => {
  const UNTIL_MS = 5_000;
  const increase = {
    id: "inc_test" as BudgetIncreaseId,
    amountPicos: picos(100n),
    fromMs: 0,
    untilMs: UNTIL_MS,
    reason: null,
    createdBy: "local",
    createdAtMs: 0,
  };

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date", "performance"], now: UNTIL_MS - 1 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const openBook = () => {
    const store = createMemoryLeases();
    const book = createLeaseBook(store, [hardBudget(20n, { increases: [increase] })]);
    const place = async () => await book.place(book.windowsOf(CALL, null, 0), ONE_CALL);
    const placeMany = async (count: number) => {
      const answers = await Promise.all(Array.from({ length: count }, place));
      return answers.flatMap((answer) => (answer.kind === "held" ? [answer] : []));
    };
    return { store, book, place, placeMany };
  };

  it("leaves nothing to be held that was lent under it, from its very instant on", async () => {
    const { store, book, place, placeMany } = openBook();
    const held = await placeMany(6);
    expect(held).toHaveLength(6);
    for (const one of held.slice(2)) one.release();
    // Two are in flight, and there is something in hand.
    expect(await place()).toMatchObject({ kind: "held" });
    vi.setSystemTime(UNTIL_MS);
    expect(await place()).toMatchObject({ kind: "tight", limitPicos: 20n });
    held[0]?.release();
    held[1]?.release();
    // For so long the refusal is believed.
    vi.advanceTimersByTime(110);
    // The third is in flight still: one more is within the limit, and no other.
    expect(await placeMany(3)).toHaveLength(1);
    expect([...store.leased.values()]).toEqual([20n]);
    await book.close();
  });

  it("leaves nothing of the calls that were held under it to others, either", async () => {
    const { book, place, placeMany } = openBook();
    const held = await placeMany(6);
    vi.setSystemTime(UNTIL_MS);
    book.sweep();
    held[0]?.release();
    expect(await place()).toMatchObject({ kind: "tight" });
    await book.close();
  });

  it("ends while the store's answer is on its way", async () => {
    const { store, book } = openBook();
    const late: LeaseSource = {
      ...store,
      lease: async (request) => {
        const answers = await store.lease(request);
        vi.setSystemTime(UNTIL_MS);
        return answers;
      },
    };
    const slow = createLeaseBook(late, [hardBudget(20n, { increases: [increase] })]);
    const answers = await Promise.all(
      Array.from({ length: 6 }, async () => slow.place(slow.windowsOf(CALL, null, 0), ONE_CALL)),
    );
    expect(answers.filter(({ kind }) => kind === "held")).toHaveLength(2);
    await Promise.all([book.close(), slow.close()]);
  });

  it("gives back by itself what lies idle", async () => {
    const { store, book, placeMany } = openBook();
    for (const one of await placeMany(6)) one.release();
    vi.setSystemTime(UNTIL_MS);
    book.sweep();
    await new Promise(setImmediate);
    expect([...store.leased.values()]).toEqual([0n]);
    await book.close();
  });
});
