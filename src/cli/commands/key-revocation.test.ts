import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { cliUnderTest } from "../../../test/support/cli-under-test.ts";

interface Answer {
  readonly count: number;
  readonly isComplete: boolean;
}

const cli = cliUnderTest();
let server: Server | undefined;

afterEach(async () => {
  await new Promise((resolve) => server?.close(resolve));
});

/** An admin API that has no time to revoke all at once: a dry run, then these answers. */
async function serve(answers: readonly Answer[]): Promise<string[]> {
  let asked = 0;
  server = createServer((req, res) => {
    req.resume().once("end", () => {
      const answer = asked === 0 ? { count: 10_000, isComplete: false } : answers[asked - 1];
      res.writeHead(answer === undefined ? 503 : 200, { "content-type": "application/json" });
      const error = { code: "store_unavailable", message: "the database does not answer" };
      const body = answer && { ...answer, isDryRun: asked === 0, data: [] };
      res.end(JSON.stringify(body ?? { error }));
      asked += 1;
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return ["--url", `http://127.0.0.1:${port}`, "--token", "any"];
}

const REVOKE = ["keys", "revoke", "--customer", "acme", "--yes"];

test("a bulk revocation is asked for until it is complete, and says how far it is", async () => {
  const at = await serve([
    { count: 6_000, isComplete: false },
    { count: 5_000, isComplete: false },
    { count: 7, isComplete: true },
  ]);
  const { code, stdout, stderr } = await cli.run([...REVOKE, ...at]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "revoked 11,007 gateway keys\n" });
  expect(stderr).toContain("6,000 keys revoked so far");
  expect(stderr).toContain("11,000 keys revoked so far");
});

test.each([
  ["the server fails on the way", [], undefined],
  ["the server gets no further", [{ count: 0, isComplete: false }], undefined],
  ["it is stopped", [{ count: 5, isComplete: false }], AbortSignal.abort()],
])("one that is not complete fails: %s", async (_, more, stopped) => {
  const at = await serve([{ count: 6_000, isComplete: false }, ...more]);
  const options = stopped === undefined ? {} : { stopped };
  const { code, stdout, stderr } = await cli.run([...REVOKE, ...at], options);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain("6,000 ");
});
