import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NewestLoad } from "./newest-load.ts";

describe("loads that overlap", () => {
  test("never bring back what was there before, whichever ends first and whichever fails", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ isRead: fc.boolean(), fails: fc.boolean() }), { maxLength: 30 }),
        fc.infiniteStream(fc.nat()),
        async (steps, choices) => {
          const load = new NewestLoad();
          const open: { readonly read: number; readonly end: () => Promise<void> }[] = [];
          const applied: number[] = [];
          let now = 0;
          const endOne = async (): Promise<void> => {
            const [choice = 0] = [choices.next().value];
            const [one] = open.splice(choice % open.length, 1);
            await one?.end();
          };
          for (const { isRead, fails } of steps) {
            // What is in the store changes all the while.
            now += 1;
            if (isRead || open.length === 0) open.push(begin(now, fails));
            else await endOne();
          }
          while (open.length > 0) await endOne();
          expect(applied).toEqual(applied.toSorted((a, b) => a - b));

          function begin(read: number, isFailing: boolean) {
            const answer = Promise.withResolvers<number>();
            const running = load.run(
              () => answer.promise,
              (state) => void applied.push(state),
            );
            const end = async (): Promise<void> => {
              if (isFailing) answer.reject(new Error("the store does not answer"));
              else answer.resolve(read);
              await (isFailing ? expect(running).rejects.toThrow("does not answer") : running);
            };
            return { read, end };
          }
        },
      ),
    );
  });

  test("apply what was read while nothing newer is there", async () => {
    const load = new NewestLoad();
    const applied: string[] = [];
    for (const text of ["one", "two"]) {
      await load.run(
        () => Promise.resolve(text),
        (state) => void applied.push(state),
      );
    }
    expect(applied).toEqual(["one", "two"]);
  });
});
