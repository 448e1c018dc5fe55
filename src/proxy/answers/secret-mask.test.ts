import * as fc from "fast-check";
import { expect, it } from "vitest";
import { createSecretMask, SecretMask, soughtSecret } from "./secret-mask.ts";

const SECRET = ["sk", "proj", "sk-proj-s".repeat(3)].join("-");
const STARS = "*".repeat(SECRET.length);

it("masks the secret wherever a stream is split, and nothing else", () => {
  const piece = fc.oneof(
    fc.constantFrom(SECRET, SECRET.slice(0, 7), SECRET.slice(0, -1), "s", "sk-proj-", "ä", "\n\n"),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(piece), fc.array(fc.nat(200)), (pieces, cuts) => {
      const text = pieces.join("");
      const mask = new SecretMask(soughtSecret(SECRET));
      const out: Buffer[] = [];
      let rest: Buffer = Buffer.from(text);
      for (const cut of cuts) {
        out.push(mask.push(rest.subarray(0, cut)));
        rest = rest.subarray(cut);
      }
      const last = cuts.length % 2 === 0 ? rest : rest.subarray(rest.length);
      if (last.length === 0) out.push(mask.push(rest));
      out.push(mask.finish(last) ?? Buffer.alloc(0));
      expect(Buffer.concat(out).toString()).toBe(text.replaceAll(SECRET, STARS));
    }),
  );
});

it("holds nothing back that cannot be the beginning of the secret", () => {
  const mask = new SecretMask(soughtSecret(SECRET));
  expect(mask.push(Buffer.from("data: 1\n\n")).toString()).toBe("data: 1\n\n");
  expect(mask.finish()).toBeUndefined();
});

it("finds the secret in whichever header the provider takes it", () => {
  for (const header of [
    ["authorization", `Bearer ${SECRET}`],
    ["api-key", SECRET],
  ] as const) {
    const mask = createSecretMask({ authHeaders: [header, ["openai-organization", "org-1"]] });
    expect(mask?.text(`got ${SECRET}`)).toBe(`got ${STARS}`);
  }
});

it("keeps what calls of one route hold back apart", () => {
  const route = { authHeaders: [["authorization", `Bearer ${SECRET}`]] } as const;
  const [one, other] = [createSecretMask(route), createSecretMask(route)];
  expect(one?.push(Buffer.from(SECRET.slice(0, 5))).toString()).toBe("");
  expect(other?.finish(Buffer.from("whole"))?.toString()).toBe("whole");
  expect(one?.finish(Buffer.from(SECRET.slice(5)))?.toString()).toBe(STARS);
});

it("leaves text alone where the route has no secret, or a word for one", () => {
  expect(createSecretMask({ authHeaders: [] })).toBeUndefined();
  expect(createSecretMask({ authHeaders: [["authorization", "Bearer none"]] })).toBeUndefined();
});
