import { expect, it } from "vitest";
import { ANSWER, CHAT, post } from "../../test/support/chat.ts";
import { dataPlaneFixture } from "../../test/support/data-plane-fixture.ts";
import { until } from "../../test/support/poll.ts";
import { respondJson } from "../../test/support/upstream.ts";

const { start } = dataPlaneFixture();

const LARGE = { ...CHAT, padding: "x".repeat(600_000) };

it("refuses a body beyond the memory for all bodies, and takes it once another call is over", async () => {
  const first = Promise.withResolvers<() => void>();
  const { gateway, upstream } = await start(
    (req, res, seen) => first.resolve(() => respondJson(ANSWER)(req, res, seen)),
    { maxHeldBodyBytes: 1_000_000 },
  );
  const held = post(gateway, LARGE);
  const release = await first.promise;
  expect(gateway.bodyBudget.heldBytes).toBeGreaterThan(600_000);

  const refused = await post(gateway, LARGE);
  expect(refused.statusCode).toBe(503);
  expect(await refused.body.json()).toMatchObject({ error: { code: "overloaded" } });

  release();
  await (await held).body.dump();
  await until("the memory is given back", () => gateway.bodyBudget.heldBytes === 0);
  upstream.respond = respondJson(ANSWER);
  expect((await post(gateway, LARGE)).statusCode).toBe(200);
  expect(upstream.seen).toHaveLength(2);
});
