import { expect, test } from "vitest";
import { createFairTurns } from "./fair-turns.ts";

test("one piece at a time, and nobody's second before everybody's first", async () => {
  const inTurn = createFairTurns();
  const done: string[] = [];
  let atOnce = 0;
  const piece = (name: string) => async (): Promise<string> => {
    atOnce += 1;
    await Promise.resolve();
    expect(atOnce).toBe(1);
    atOnce -= 1;
    done.push(name);
    return name;
  };
  const all = ["a1", "a2", "a3", "b1", "c1", "b2"].map((name) =>
    inTurn(name.slice(0, 1), piece(name)),
  );
  expect(await Promise.all(all)).toEqual(["a1", "a2", "a3", "b1", "c1", "b2"]);
  expect(done).toEqual(["a1", "b1", "c1", "a2", "b2", "a3"]);
});

test("a piece that fails fails for itself alone", async () => {
  const inTurn = createFairTurns();
  const failed = inTurn("a", () => Promise.reject(new Error("no luck")));
  const next = inTurn("a", () => Promise.resolve("next"));
  await expect(failed).rejects.toThrow("no luck");
  expect(await next).toBe("next");
  expect(await inTurn("b", () => Promise.resolve("later"))).toBe("later");
});
