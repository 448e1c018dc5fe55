import { describe, expect, it, test } from "vitest";
import type { AskJson, JsonReply } from "../../providers/key-administration.ts";
import { openaiProvider } from "../../providers/openai/openai-provider.ts";
import { sampleAccount } from "../../store/contract/samples.contract.ts";
import type { AccountDesk } from "./account-desk.ts";
import { madeUpLike, probeSecret } from "./probe-secret.ts";

const SECRET = ["sk", "proj", "aZ9".repeat(12)].join("-");
const DESK: AccountDesk = {
  provider: openaiProvider,
  baseUrl: "https://provider.example/v1/",
  account: sampleAccount(),
};

const answered = (status: number, headers: Readonly<Record<string, string>> = {}): JsonReply => ({
  kind: "answered",
  status,
  headers: new Map(Object.entries(headers)),
  body: { object: "list", data: [] },
  retryAfterMs: undefined,
});
const refusedWith = (code: unknown): JsonReply => {
  const body = { error: { message: "no", code } };
  return { ...answered(401), body } as JsonReply;
};
const away: JsonReply = { kind: "unreachable", problem: "the provider does not answer" };

/** A provider that answers the secret so, and any other so. */
async function probe(own: JsonReply, other: JsonReply, desk: AccountDesk = DESK) {
  const seen: { readonly what: string; readonly secret: string | undefined }[] = [];
  const ask: AskJson = ({ method, url, headers, body }) => {
    const given = headers.find(([name]) => name === "authorization")?.[1];
    seen.push({ what: [method, url, body].join(" ").trim(), secret: given?.slice(7) });
    return Promise.resolve(given === `Bearer ${SECRET}` ? own : other);
  };
  return { answer: await probeSecret(ask, desk, SECRET), seen };
}

describe("a test call with a secret", () => {
  it("counts where a made-up secret is refused, and tells whose it is", async () => {
    const headers = { "openai-organization": "org-ours", "openai-project": "proj_1" };
    const { answer, seen } = await probe(answered(200, headers), answered(401));
    expect(answer).toEqual({ kind: "works", organization: "org-ours", project: "proj_1" });
    expect(seen.map(({ what }) => what)).toEqual(
      Array.from({ length: 2 }, () => "GET https://provider.example/v1/models"),
    );
    const [own, madeUp] = seen;
    expect(own?.secret).toBe(SECRET);
    expect(madeUp?.secret).toMatch(/^sk-proj-\w{36}$/);
    expect(madeUp?.secret).not.toBe(SECRET);
  });

  it("counts for nothing where everybody is answered", async () => {
    const { answer } = await probe(answered(200), answered(200));
    const reason = "the provider answers the test call with any secret";
    expect(answer).toEqual({ kind: "unclear", reason });
  });

  it.each([400, 403, 404, 405, 501])(
    "counts for nothing when it is answered %i",
    async (status) => {
      const { answer, seen } = await probe(answered(status), answered(401));
      const reason = `the provider answered ${status} to the test call`;
      expect(answer).toEqual({ kind: "unclear", reason });
      expect(seen).toHaveLength(1);
    },
  );

  it("is refused, and no other made, where the provider does not know the secret", async () => {
    const { answer, seen } = await probe(refusedWith("invalid_api_key"), answered(200));
    expect([answer, seen.length]).toEqual([{ kind: "refused", isOfSecret: true }, 1]);
  });

  it.each([
    ["ip_not_authorized", false],
    ["mismatched_organization", false],
    ["account_deactivated", false],
    [401, undefined],
    [null, undefined],
  ])("that is refused with the code %s says of the secret: %s", async (code, isOfSecret) => {
    const { answer } = await probe(refusedWith(code), answered(200));
    expect(answer).toEqual({ kind: "refused", isOfSecret });
  });

  it("says nothing of the secret by a code that is not known to mean it", async () => {
    const { badSecretCodes: _, ...provider } = openaiProvider;
    const reply = refusedWith("invalid_api_key");
    const { answer } = await probe(reply, answered(200), { ...DESK, provider });
    expect(answer).toEqual({ kind: "refused", isOfSecret: undefined });
    for (const body of [undefined, null, "no", { error: "no" }]) {
      const bare = await probe({ ...answered(401), body } as JsonReply, answered(200));
      expect(bare.answer).toEqual({ kind: "refused", isOfSecret: undefined });
    }
  });

  it.each([
    ["the provider is away", away, away],
    ["it is asked too often", answered(429), answered(401)],
    ["it fails", answered(500), answered(401)],
    ["it redirects", answered(302), answered(401)],
    ["nobody answers the made-up one", answered(200), away],
    ["the made-up one is asked too often", answered(200), answered(429)],
  ])("is to be made again when %s: that proves nothing", async (_, own, other) => {
    expect((await probe(own, other)).answer.kind).toBe("trouble");
  });
});

test("a made-up secret is of the same kind and length, and no letter of it the same", () => {
  const made = madeUpLike(SECRET);
  expect(made).toMatch(/^sk-proj-(?:[a-z][A-Z][0-9]){12}$/);
  for (let at = "sk-proj-".length; at < SECRET.length; at += 1) {
    expect(made[at]).not.toBe(SECRET[at]);
  }
  expect(madeUpLike("0123456789abcdef")).toMatch(/^[0-9]{10}[a-z]{6}$/);
});
