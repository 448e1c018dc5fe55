import { Agent } from "undici";
import { afterEach, expect, it } from "vitest";
import { startUpstream, type Upstream } from "../../../test/support/upstream.ts";
import { createAskJson } from "./ask-json.ts";

const ADMIN_KEY = ["sk", "admin", "a1B2".repeat(8)].join("-");
const OTHER_KEY = ["sk", "proj", "c3D4".repeat(8)].join("-");
/** Of no form that anybody could know. */
const PLAIN_KEY = "9fQa".repeat(8);

let upstream: Upstream | undefined;
const dispatcher = new Agent();

afterEach(async () => {
  await upstream?.close();
});

async function ask(status: number, secret: string) {
  upstream = await startUpstream((_req, res) => {
    const message = `Your key ${secret} may not do this; "${OTHER_KEY}" may, and ${secret}.`;
    res.writeHead(status, { "content-type": "application/json" });
    res.end(JSON.stringify({ error: { message }, key: OTHER_KEY }));
  });
  const reply = await createAskJson({ dispatcher, nowMs: Date.now })({
    method: "GET",
    url: `${upstream.url}/organization/projects`,
    headers: [["authorization", `Bearer ${secret}`]],
  });
  if (reply.kind !== "answered") throw new Error(reply.problem);
  return reply.body as { readonly error: { readonly message: string }; readonly key: string };
}

it.each([
  ["of a known form", ADMIN_KEY],
  ["of any form", PLAIN_KEY],
])("a refusal that quotes the secret that was sent, %s, is read without it", async (_, secret) => {
  const { error } = await ask(403, secret);
  expect(error.message).not.toContain(secret);
  expect(error.message).not.toContain(OTHER_KEY);
  expect(error.message).toContain("may not do this");
});

it("a secret in an answer that is none is what was asked for", async () => {
  const { key } = await ask(200, ADMIN_KEY);
  expect(key).toBe(OTHER_KEY);
});
