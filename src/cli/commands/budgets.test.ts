import { describe, expect, test } from "vitest";
import { cliUnderTest } from "../../../test/support/cli-under-test.ts";

const cli = cliUnderTest();

interface Budget {
  readonly id: string;
}

async function create(...words: string[]): Promise<Budget> {
  return (await cli.json(["budgets", "create", ...words])) as Budget;
}

describe("budgets", () => {
  test("are created, listed, shown, changed and archived", async () => {
    await cli.install();
    const words = [
      "--scope",
      "environment",
      "--of",
      "staging",
      "--limit",
      "20",
      "--period",
      "week",
    ];
    const made = await cli.run(["budgets", "create", ...words, "--timezone", "Europe/Berlin"]);
    expect(made.stdout).toMatch(
      /^created a hard budget of \$20 a week for environment staging \(bud_\w+\)\n$/,
    );
    const id = /bud_\w+/.exec(made.stdout)?.[0] ?? "";
    const listed = await cli.run(["budgets", "list"]);
    expect(listed.stdout).toMatch(/environment staging +week +\$20 +\$0 +\$0 +\$20 +hard/);
    const shown = await cli.run(["budgets", "show", id]);
    expect(shown.stdout).toMatch(/time zone +Europe\/Berlin/);
    expect(shown.stdout).toMatch(/left +\$20/);
    const changed = await cli.run(["budgets", "set-limit", id, "25.5"]);
    expect(changed.stdout).toBe(
      "now a hard budget of $25.5 a week for environment staging; $25.5 left\n",
    );
    const raised = await cli.run(["budgets", "increase", id, "4.5", "--until", "2999-01-01"]);
    expect(raised.stdout).toMatch(/^limit now \$30, until 2999-01-01/);
    const increased = await cli.run(["budgets", "show", id]);
    expect(increased.stdout).toMatch(/refused +0 calls/);
    const increase = /raised by +\$4\.5 until 2999-01-01.*\((inc_\w+)\)/.exec(
      increased.stdout,
    )?.[1];
    const end = ["budgets", "end-increase", id, increase ?? ""];
    expect(await cli.run(end)).toMatchObject({ code: 1, stdout: "" });
    expect((await cli.run([...end, "--yes"])).stdout).toMatch(
      /^took back \$4\.5 until 2999-01-01.*: limit now \$25\.5, \$25\.5 left\n$/,
    );
    expect((await cli.run([...end, "--yes"])).stderr).toContain("ended already");
    expect((await cli.run(["budgets", "pause", id])).stdout).toContain("paused");
    expect((await cli.run(["budgets", "list"])).stdout).toContain("paused");
    expect((await cli.run(["budgets", "resume", id])).stdout).toContain("resumed");
    expect(await cli.run(["budgets", "archive", id])).toMatchObject({ code: 1, stdout: "" });
    expect((await cli.run(["budgets", "archive", id, "--yes"])).stdout).toContain("archived");
    expect((await cli.run(["budgets", "list"])).stderr).toContain("no budgets");
    const all = await cli.run(["budgets", "list", "--archived"]);
    expect(all.stdout).toContain(id);
    const again = await cli.run(["budgets", "set-limit", id, "1"]);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("archived") as string });
  });

  test("for each customer say where each one's are found", async () => {
    await cli.install();
    const { id } = await create("--scope", "customer", "--limit", "5", "--period", "day");
    const shown = await cli.run(["budgets", "show", id]);
    expect(shown.stdout).toMatch(/for +each customer/);
    expect(shown.stdout).toMatch(/each +0 with calls, 0 near, 0 used up/);
    expect(shown.stderr).toContain(`keyward budgets show ${id} --each`);
    const each = await cli.run(["budgets", "show", id, "--each"]);
    expect(each.stderr).toContain("no calls in this period");
    const history = await cli.run(["budgets", "history", id, "--current"]);
    expect(history.stderr).toContain("no periods with calls");
  });

  test("an environment says what is held for a call without a bound", async () => {
    await cli.install();
    const words = ["environments", "set-budget-ceiling", "production"];
    expect((await cli.run([...words, "2.50"])).stdout).toMatch(/are held at \$2\.5\n$/);
    const none = await cli.json([...words, "none"]);
    expect(none).toMatchObject({ name: "production", budgetCeilingUsd: null });
    const refused = await cli.run([...words, "much"]);
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("decimal") as string,
    });
  });

  test("are refused with the flag's name", async () => {
    await cli.install();
    const zone = ["--limit", "5", "--period", "day", "--timezone", "Europe/Berln"];
    const refused = await cli.run(["budgets", "create", ...zone]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("--timezone");
    expect(refused.stderr).toContain("Europe/Berlin");
    const scope = ["--limit", "5", "--period", "day", "--scope", "tenant"];
    expect((await cli.run(["budgets", "create", ...scope])).code).toBe(2);
    const twice = ["--limit", "5", "--period", "day", "--scope", "environment", "--of", "prod"];
    expect((await cli.run(["budgets", "create", ...twice])).stderr).toContain("did you mean");
  });
});
