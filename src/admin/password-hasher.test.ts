import { describe, expect, it } from "vitest";
import { HasherBusyError, PasswordHasher } from "./password-hasher.ts";

const hasher = new PasswordHasher({ logN: 4, r: 8, p: 1 });

describe("passwords", () => {
  it("are told from others, and hashed with a salt of their own", async () => {
    const [one, two] = await Promise.all([
      hasher.hash("correct horse"),
      hasher.hash("correct horse"),
    ]);
    expect(one).toMatch(/^\$scrypt\$ln=4,r=8,p=1\$/);
    expect(one).not.toBe(two);
    expect(await hasher.verify("correct horse", one)).toBe(true);
    expect(await hasher.verify("correct horsf", one)).toBe(false);
    expect(await hasher.verify("correct horse", null)).toBe(false);
  });

  it("are the same in every spelling of their characters", async () => {
    const hash = await hasher.hash("caf\u00e9 \ufb01n");
    expect(await hasher.verify("cafe\u0301 fin", hash)).toBe(true);
  });

  it("are checked with the cost they were hashed with", async () => {
    const hash = await new PasswordHasher({ logN: 5, r: 8, p: 2 }).hash("correct horse");
    expect(await hasher.verify("correct horse", hash)).toBe(true);
    await expect(hasher.verify("x", "$2b$10$nothing")).rejects.toThrow("not one of ours");
  });

  it("are hashed a few at a time, and a flood of them is refused", async () => {
    const many = await Promise.allSettled(Array.from({ length: 60 }, () => hasher.hash("a")));
    const refused = many.filter(({ status }) => status === "rejected");
    expect(refused.length).toBe(60 - 34);
    for (const each of refused) {
      expect(each).toMatchObject({ reason: expect.any(HasherBusyError) });
    }
    expect(await hasher.verify("a", await hasher.hash("a"))).toBe(true);
  });
});
