import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { cliUnderTest, NOW_MS } from "../../../test/support/cli-under-test.ts";
import { sampleEvent, sampleIntent } from "../../../test/support/sample-calls.ts";
import { IdFactory } from "../../core/ids/ids.ts";
import { picos } from "../../core/money/picos.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";

const cli = cliUnderTest();
const HOUR_MS = 3_600_000;
const HOSTILE = "\u001b[2Jacme\nroot";

beforeEach(async () => {
  await cli.install();
  const ids = new IdFactory({ nowMs: () => NOW_MS, randomBytes });
  await cli.withStore(async (store) => {
    const project = await store.projects.findByName("default");
    const environment = await store.environments.findByName("production");
    if (project === undefined || environment === undefined) throw new Error("no first run");
    const call = (hoursAgo: number, change: Partial<UsageEvent>): UsageEvent => {
      const startedAtMs = NOW_MS - hoursAgo * HOUR_MS;
      const place = { projectId: project.id, environmentId: environment.id, startedAtMs };
      return sampleEvent(sampleIntent(ids, place), change);
    };
    await store.usage.insertBatch({
      events: [
        call(1, { customer: "acme" }),
        call(2, { customer: "acme", status: "failed", costPicos: picos(25_000_000n) }),
        call(3, { customer: HOSTILE, pricing: "unpriced", costPicos: null, feature: null }),
        call(50, { customer: null, servedModel: "gpt-5" }),
      ],
      refusals: [
        {
          code: "invalid_api_key",
          count: 3,
          hourMs: NOW_MS - 30 * 60_000,
          gatewayKeyId: null,
          customer: null,
        },
      ],
    });
  });
});

test("a summary has a row for each group in the order asked for, and the total of all", async () => {
  const { stdout } = await cli.run(["usage", "summary", "--by", "model,customer"]);
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split(/ {2,}/));
  expect(lines[0]?.slice(0, 3)).toEqual(["model", "customer", "calls"]);
  expect(lines[0]).toContain("failed");
  expect(lines[0]).not.toContain("interrupted");
  expect(lines.at(-1)?.[0]).toBe("total");
  expect(lines.at(-1)).toContain("≥ $0.001975");
  expect(lines).toHaveLength(5);
});

test("a cost that is not known is never shown as 0", async () => {
  const { stdout, stderr } = await cli.run(["usage", "summary", "--by", "customer"]);
  const lines = stdout.trimEnd().split("\n");
  expect(lines.find((line) => line.startsWith("\\u{1b}"))).toMatch(/ unpriced$/);
  expect(lines.find((line) => line.startsWith("acme"))).toMatch(/ \$0\.001$/);
  expect(stderr).toBe("not in the cost: 1 call without a known price\n");
  const one = await cli.run(["usage", "summary", "--customer", HOSTILE]);
  expect(one.stdout).toContain("unpriced");
  expect(one.stdout).not.toContain("$");
});

test("a call whose process died is said to be unknown, and not to have no price", async () => {
  const ids = new IdFactory({ nowMs: () => NOW_MS, randomBytes });
  const died = { status: "unknown", usageSource: "unknown", pricing: "unpriced" } as const;
  const insert = async (customer: string, costPicos: UsageEvent["costPicos"]): Promise<void> => {
    const intent = sampleIntent(ids, { startedAtMs: NOW_MS, customer });
    const events = [sampleEvent(intent, { ...died, costPicos })];
    await cli.withStore((store) => store.usage.insertBatch({ events, refusals: [] }));
  };
  await insert("held", picos(20_000_000_000n));
  await insert("unheld", null);
  const held = await cli.run(["usage", "summary", "--customer", "held"]);
  expect(held.stdout).toContain("~ $0.02");
  expect(held.stdout).toContain("usage unknown");
  expect(held.stderr).toMatch(/^not known what 1 call consumed: .*set aside/);
  const unheld = await cli.run(["usage", "summary", "--customer", "unheld"]);
  expect(unheld.stdout).toMatch(/ unknown$/m);
  const listed = await cli.run(["usage", "events", "--customer", "unheld"]);
  expect(listed.stdout).not.toContain("unpriced");
});

test("a summary's total counts the rows of the other pages as well", async () => {
  const words = ["usage", "summary", "--by", "customer", "--limit", "1"];
  const page = (await cli.json(words)) as { data: object[]; total: object; nextCursor: string };
  expect(page.data).toHaveLength(1);
  expect(page.total).toMatchObject({ calls: 4, costUsd: "0.001975", unpricedCalls: 1 });
  expect(page.nextCursor).toBeTypeOf("string");
});

test("--from and --to are worked out with this machine's clock", async () => {
  const calls = async (...words: string[]): Promise<unknown> => {
    const { total } = (await cli.json(["usage", "summary", ...words])) as {
      total: { calls: number };
    };
    return total.calls;
  };
  expect(await calls()).toBe(4);
  expect(await calls("--from", "24h")).toBe(3);
  expect(await calls("--to", "2d")).toBe(1);
  expect(await calls("--from", "24h", "--customer", "acme")).toBe(2);
  expect(await cli.run(["usage", "summary", "--from", "soon"])).toMatchObject({ code: 2 });
});

test("a dimension that there is not is refused with the near one", async () => {
  const { code, stderr } = await cli.run(["usage", "summary", "--by", "costumer"]);
  expect(code).toBe(1);
  expect(stderr).toContain("error: --by must be made of");
  expect(stderr).toContain("did you mean `customer`?");
});

test("events are listed newest first, by any filter", async () => {
  const { stdout } = await cli.run(["usage", "events", "--status", "failed"]);
  expect(stdout.trimEnd().split("\n")).toHaveLength(2);
  expect(stdout).toContain("$0.000025");
  const page = (await cli.json(["usage", "events"])) as { data: { startedAt: string }[] };
  const times = page.data.map(({ startedAt }) => startedAt);
  expect(times).toEqual(times.toSorted().toReversed());
  expect(await cli.run(["usage", "events", "--status", "lost"])).toMatchObject({ code: 2 });
});

test("a list of events says what was called, and how the provider refused", async () => {
  const { stdout } = await cli.run(["usage", "events", "--status", "failed"]);
  const [titles = "", row = ""] = stdout.split("\n");
  expect(titles).toContain("call");
  expect(titles).not.toContain("project");
  expect(row).toMatch(/chat\.completions +failed 200/);
  const wide = await cli.run(["usage", "events", "--wide"]);
  expect(wide.stdout).toMatch(/ project .* tools +ms +attempt +provider key +key +request id/);
  expect(wide.stdout).toMatch(/ key_\w+ +req_\w+$/m);
});

test("refused calls are counted by reason, and named in the status", async () => {
  const { stdout } = await cli.run(["usage", "refusals"]);
  expect(stdout).toMatch(/^reason +calls\ninvalid_api_key +3\n$/);
  expect((await cli.run(["usage", "refusals", "--to", "2d"])).stderr).toBe("no refused calls\n");
});

test("a customer's name out of a request cannot steer the terminal", async () => {
  for (const words of [["events"], ["summary", "--by", "customer"]]) {
    const { stdout } = await cli.run(["usage", ...words]);
    expect(stdout).toContain("\\u{1b}[2Jacme\\u{a}root");
    expect(stdout).not.toContain("\u001b");
  }
  const { stdout } = await cli.run(["usage", "events", "--json"]);
  expect(stdout).not.toContain("\u001b");
});

test("an export is the same calls, to a file or to standard output", async () => {
  const words = ["usage", "export", "--format", "jsonl", "--customer", "acme"];
  const { stdout } = await cli.run(words);
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as UsageEvent);
  expect(lines.map(({ customer }) => customer)).toEqual(["acme", "acme"]);
  const saved = await cli.run([...words, "--output", "acme.jsonl"]);
  expect(saved).toMatchObject({ code: 0, stdout: "" });
  expect(readFileSync(join(cli.cwd, "acme.jsonl"), "utf8")).toBe(stdout);
});

test("calls that match nothing are no error", async () => {
  expect(await cli.run(["usage", "events", "--customer", "nobody"])).toMatchObject({
    code: 0,
    stdout: "",
    stderr: "no calls\n",
  });
});
