import { describe, expect, it } from "vitest";
import { adminUnderTest } from "../../test/support/admin-under-test.ts";
import { BY_SYSTEM } from "./open-audit.ts";
import { createOwnerLink, offerOwnerLink, type OwnerOffer } from "./owner-link.ts";

const DAY_MS = 86_400_000;

function linkOf(made: OwnerOffer | undefined): string {
  if (made?.isNew !== true) throw new Error("no new link");
  return made.link;
}

describe("the first owner's link", () => {
  const admin = adminUnderTest();

  const deps = () => ({ ...admin.deps, nowMs: () => admin.nowMs });
  const offer = () =>
    admin.deps.store.as(BY_SYSTEM, () => offerOwnerLink(deps(), "http://127.0.0.1:5000/"));
  const create = () => admin.deps.store.as(BY_SYSTEM, () => createOwnerLink(deps(), "https://x"));
  const join = (link: string) =>
    admin.post("/invitations/accept", {
      secret: link.split("#")[1],
      email: "anna@example.com",
      password: "correct horse battery",
    });
  it("is offered until there is an owner, makes one, and works once", async () => {
    const made = await offer();
    expect(linkOf(made)).toMatch(/^http:\/\/127\.0\.0\.1:5000\/join#kw_invite_\w{49}$/);
    expect(made?.expiresAtMs).toBe(admin.nowMs + 3 * DAY_MS);
    expect((await join(linkOf(made))).body).toMatchObject({ role: "owner" });
    expect((await join(linkOf(made))).status).toBe(403);
    expect(await offer()).toBeUndefined();
  });

  it("is not made anew by every start: one that was printed goes on to work, and nothing is written", async () => {
    const first = await offer();
    const written = (await admin.get("/audit")).text;
    expect(await offer()).toEqual({ isNew: false, expiresAtMs: first?.expiresAtMs });
    expect((await admin.get("/audit")).text).toBe(written);
    expect((await join(linkOf(first))).status).toBe(201);
  });

  it("is made anew when it has run out, or was taken back by the command", async () => {
    const first = linkOf(await offer());
    admin.nowMs += 3 * DAY_MS;
    const second = linkOf(await offer());
    expect((await join(first)).status).toBe(403);
    const third = await create();
    expect((await join(second)).status).toBe(403);
    expect(await offer()).toEqual({ isNew: false, expiresAtMs: third.expiresAtMs });
    expect((await join(third.link)).status).toBe(201);
  });

  it("is no invitation of somebody in particular", async () => {
    await admin.post("/invitations", { email: "ben@example.com", role: "owner" });
    linkOf(await offer());
  });
});
