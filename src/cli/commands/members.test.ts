import { describe, expect, test } from "vitest";
import { cliUnderTest, NOW_MS } from "../../../test/support/cli-under-test.ts";
import { IdFactory } from "../../core/ids/ids.ts";
import { hashAdminToken } from "../../core/keys/admin-token.ts";
import { hashLoginSecret } from "../../core/keys/login-secret.ts";
import type { MemberRecord } from "../../store/access-records.ts";

const cli = cliUnderTest();
const ids = new IdFactory({ nowMs: () => NOW_MS, randomBytes: (count) => Buffer.alloc(count, 7) });

const INVITE = ["members", "invite", "--email", "Ben@example.com", "--role"];

async function addMember(changes: Partial<MemberRecord> = {}): Promise<MemberRecord["id"]> {
  const member: MemberRecord = {
    id: ids.create("mem"),
    email: "anna@example.com",
    name: null,
    role: "owner",
    environments: null,
    passwordHash: null,
    subject: null,
    createdAtMs: NOW_MS,
    lastLoginAtMs: null,
    removedAtMs: null,
    ...changes,
  };
  await cli.withStore((store) => store.access.members.insert(member));
  return member.id;
}

describe("keyward members", () => {
  test("invite prints a link that opens, alone on standard output, and lists and takes back what is open", async () => {
    await cli.install();
    const env = { KEYWARD_HOST: "0.0.0.0", KEYWARD_PORT: "5000" };
    const invited = await cli.run([...INVITE, "developer", "--environment", "staging"], { env });
    expect(invited.stdout).toMatch(/^http:\/\/127\.0\.0\.1:5000\/join#kw_invite_\w{49}\n$/);
    expect(invited.stderr).toMatch(/works once, until \d{4}-/);
    expect(invited.stderr).toContain("opens on the server's machine alone: set `publicUrl`");
    const ipv6 = { KEYWARD_HOST: "::1", KEYWARD_PUBLIC_URL: "" };
    const cleo = ["members", "invite", "--email", "cleo@example.com", "--role", "viewer"];
    const [other] = (await cli.run(cleo, { env: ipv6 })).stdout.split("#");
    expect(other).toBe("http://[::1]:4141/join");
    const { data } = (await cli.json(["members", "invitations"])) as {
      data: { id: string; email: string; role: string }[];
    };
    expect(data).toMatchObject([
      { email: "cleo@example.com", role: "viewer" },
      { email: "ben@example.com", role: "developer" },
    ]);
    const { stdout } = await cli.run(["members", "invitations"]);
    expect(stdout).toMatch(/^ben@example\.com +developer +\d{4}-.* +local +inv_/m);
    const taken = await cli.run(["members", "uninvite", data[1]?.id ?? ""]);
    expect(taken.stdout).toBe("the link for ben@example.com does nothing any more\n");
    await cli.withStore(async ({ access }) => {
      const secret = invited.stdout.trim().split("#")[1] ?? "";
      const hash = hashLoginSecret("invitation", secret) ?? "";
      expect((await access.invitations.findByHash(hash))?.revokedAtMs).not.toBeNull();
    });
    const told = { KEYWARD_PUBLIC_URL: "https://keyward.example.com" };
    const reached = await cli.run([...INVITE, "developer"], { env: told });
    expect(reached.stdout).toMatch(/^https:\/\/keyward\.example\.com\/join#/);
    expect(reached.stderr).not.toContain("publicUrl");
  });

  test("refuses what makes no sense, in the words that were typed", async () => {
    await cli.install();
    const scoped = await cli.run([...INVITE, "viewer", "--environment", "staging"]);
    expect(scoped).toMatchObject({ code: 1, stdout: "" });
    expect(scoped.stderr).toContain("Only a developer is given environments");
    const unknown = await cli.run([...INVITE, "developer", "--environment", "nowhere"]);
    expect(unknown.stderr).toContain("There is no environment `nowhere`");
    await addMember({ email: "ben@example.com" });
    expect((await cli.run([...INVITE, "viewer"])).stderr).toContain("already a member");
    const missing = await cli.run(["members", "show", "mem_01JZ6Y4V2S8W3N5R7T9X0B1C2D"]);
    expect(missing).toMatchObject({ code: 1, stdout: "" });
    expect(missing.stderr).toContain("keyward members list");
  });

  test("shows how a member logs in, changes the role, and keeps the last owner", async () => {
    await cli.install();
    const passwordHash = `$scrypt$${"h".repeat(40)}`;
    const owner = await addMember({ passwordHash, lastLoginAtMs: NOW_MS });
    const dev = await addMember({ email: "dev@example.com", role: "viewer", subject: "i s" });
    const role = ["members", "set-role", dev, "--role", "developer"];
    expect((await cli.run([...role, "--environment", "production"])).stdout).toBe(
      "dev@example.com is developer\n",
    );
    const shown = await cli.run(["members", "show", "dev@example.com"]);
    expect(shown.stdout).toMatch(/^writes in +production$/m);
    expect(shown.stdout).toMatch(/^logs in with +the identity provider$/m);
    const other = await cli.run(["members", "show", owner]);
    expect(other.stdout).toMatch(/^logs in with +a password$/m);
    expect(other.stdout).not.toContain(passwordHash);
    const unbound = await cli.run(["members", "unbind", "dev@example.com"]);
    expect(unbound.stdout).toBe(
      "dev@example.com is bound to no account, and logged out everywhere\n",
    );
    expect(unbound.stderr).toMatch(/^the member's admin tokens stay; /m);
    const find = await cli.withStore((store) => store.access.members.findById(dev));
    expect(find?.subject).toBeNull();
    const remove = ["members", "remove", "dev@example.com"];
    expect(await cli.run(remove)).toMatchObject({ code: 1, stdout: "" });
    expect((await cli.run([...remove, "--yes"])).stdout).toBe("removed dev@example.com\n");
    const list = await cli.run(["members", "list"]);
    expect(list.stdout).toMatch(/^anna@example\.com +owner +2026-01-31 09:30:00 +mem_/m);
    expect(list.stdout).not.toContain("dev@example.com");
    const last = await cli.run(["members", "remove", owner, "--yes"]);
    expect(last).toMatchObject({ code: 1 });
    expect(last.stderr).toContain("the last owner");
  });
});

test("reset-password makes a link for the member of an address, an owner as well, and sign-out ends what is open", async () => {
  await cli.install();
  const owner = await addMember({ passwordHash: `$scrypt$${"h".repeat(40)}` });
  const env = { KEYWARD_PUBLIC_URL: "https://keyward.example.com" };
  const made = await cli.run(["members", "reset-password", "Anna@example.com"], { env });
  expect(made.stdout).toMatch(/^https:\/\/keyward\.example\.com\/reset#kw_reset_\w{49}\n$/);
  expect(made.stderr).toMatch(/^works once, until \d{4}-.*\nwhoever has it becomes anna@example/m);
  expect(made.stderr).not.toContain("no password");
  const answer = await cli.json(["members", "reset-password", owner], { env });
  expect(answer).toMatchObject({ memberId: owner, email: "anna@example.com", hasPassword: true });
  await cli.withStore(async ({ access: { passwordResets, sessions } }) => {
    const find = (link: string) =>
      passwordResets.findByHash(
        hashLoginSecret("passwordReset", link.trim().split("#")[1] ?? "") ?? "",
      );
    expect((await find(made.stdout))?.revokedAtMs).not.toBeNull();
    expect((await find((answer as { link: string }).link))?.revokedAtMs).toBeNull();
    await sessions.insert({
      id: ids.create("ses"),
      hash: "a".repeat(64),
      memberId: owner,
      address: null,
      userAgent: null,
      createdAtMs: NOW_MS,
      lastSeenAtMs: NOW_MS,
    });
  });
  const out = await cli.run(["members", "sign-out", "anna@example.com"]);
  expect(out.stdout).toBe("anna@example.com is signed out; sessions ended: 1\n");
  expect(await cli.withStore((store) => store.access.sessions.listOf(owner))).toEqual([]);
  const bound = await addMember({ email: "ben@example.com", subject: "i s" });
  const first = await cli.run(["members", "reset-password", bound]);
  expect(first.stderr).toContain("the member has had no password");
  const nobody = await cli.run(["members", "reset-password", "nobody@example.com"]);
  expect(nobody).toMatchObject({ code: 1, stdout: "" });
  expect(nobody.stderr).toContain("there is no member nobody@example.com");
  const again = await cli.run([...INVITE, "viewer"]);
  expect(again.stderr).toContain("`keyward members reset-password`");
  const link = await cli.run(["owner-link"]);
  expect(link.stderr).toContain("there is an owner already");
});

test("owner-link prints a link that makes an owner, and takes back the one before", async () => {
  await cli.install();
  const env = { KEYWARD_PUBLIC_URL: "https://keyward.example.com" };
  const first = await cli.run(["owner-link"], { env });
  expect(first.stdout).toMatch(/^https:\/\/keyward\.example\.com\/join#kw_invite_\w{49}\n$/);
  const { link } = (await cli.json(["owner-link"], { env })) as { link: string };
  await cli.withStore(async ({ access: { invitations } }) => {
    const find = (text: string) =>
      invitations.findByHash(hashLoginSecret("invitation", text.trim().split("#")[1] ?? "") ?? "");
    expect(await find(first.stdout)).toMatchObject({ role: "owner", email: null });
    expect((await find(first.stdout))?.revokedAtMs).not.toBeNull();
    expect((await find(link))?.revokedAtMs).toBeNull();
  });
});

test("admin-tokens: have a role or single permissions, and an end", async () => {
  await cli.install();
  const create = ["admin-tokens", "create", "--name", "pages"];
  const made = await cli.json([
    ...create,
    "--permission",
    "client-tokens:write",
    "--permission",
    "keys:read",
    "--environment",
    "production",
    "--expires",
    "2099-01-01",
  ]);
  expect(made).toMatchObject({
    role: null,
    permissions: ["client-tokens:write", "keys:read"],
    environmentIds: [expect.stringMatching(/^env_/)],
    expiresAt: "2099-01-01T00:00:00.000Z",
  });
  const { stdout } = await cli.run(["admin-tokens", "list"]);
  expect(stdout).toMatch(/^pages +client-tokens:write keys:read /m);
  for (const wrong of [
    create,
    [...create, "--role", "viewer", "--permission", "keys:read"],
    [...create, "--permission", "everything"],
  ]) {
    expect(await cli.run(wrong)).toMatchObject({ code: 2, stdout: "" });
  }
});

test("admin-tokens: made once in clear, listed by their preview, and revoked", async () => {
  await cli.install();
  const create = ["admin-tokens", "create", "--name", "ci", "--role", "developer"];
  const made = await cli.run([...create, "--environment", "staging"]);
  expect(made.stdout).toMatch(/^kw_admin_\w{49}\n$/);
  const token = made.stdout.trim();
  expect(made.stderr).toContain("not shown again");
  const listed = await cli.run(["admin-tokens", "list"]);
  expect(listed.stdout).toMatch(
    new RegExp(`^ci +developer +kw_admin_…${token.slice(-4)} +active`, "m"),
  );
  expect(listed.stdout).not.toContain(token);
  const { data } = (await cli.json(["admin-tokens", "list"])) as { data: { id: string }[] };
  const revoked = await cli.run(["admin-tokens", "revoke", data[0]?.id ?? ""]);
  expect(revoked.stdout).toBe("revoked ci\n");
  expect((await cli.run(["admin-tokens", "list"])).stdout).toMatch(/^ci .* revoked /m);
  await cli.withStore(async ({ adminTokens }) => {
    expect(await adminTokens.findActiveByHash(hashAdminToken(token))).toBeUndefined();
  });
});
