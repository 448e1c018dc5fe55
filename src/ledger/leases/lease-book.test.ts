import { expect, it } from "vitest";
import {
  createLeaseBook,
  createMemoryLeases,
  hardBudget,
} from "../../../test/support/memory-leases.ts";
import type { LeaseSource } from "../../core/budgets/lease.ts";
import type { EnvironmentId, GatewayKeyId, ProjectId } from "../../core/ids/ids.ts";
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
