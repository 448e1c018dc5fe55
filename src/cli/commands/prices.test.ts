import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cliUnderTest } from "../../../test/support/cli-under-test.ts";

const cli = cliUnderTest();
const OVERRIDE = ["prices", "override", "--provider", "openai", "--model", "gpt-4o-mini"];

describe("price overrides", () => {
  test("are set, listed, in force in an estimate, and ended", async () => {
    await cli.install();
    const set = await cli.run([
      ...OVERRIDE,
      "--input",
      "0.1",
      "--output",
      "0.4",
      "--image",
      "0.03",
    ]);
    expect(set.stdout).toMatch(
      /^openai gpt-4o-mini, default tier: input 0\.1, output 0\.4, \$0\.03 per image from .* \(pov_\w+\)$/m,
    );
    const { data } = (await cli.json(["prices", "overrides"])) as { data: { id: string }[] };
    const [{ id } = { id: "" }] = data;
    const estimate = ["estimate", "--model", "gpt-4o-mini", "--input", "1000000"];
    const at = ["--at", new Date(Date.now() + 3_600_000).toISOString()];
    expect(await cli.json([...estimate, ...at])).toMatchObject({ costUsd: "0.1" });
    expect((await cli.run(["prices", "overrides"])).stdout).toContain("until");
    expect((await cli.run(["prices", "end", id])).code).toBe(0);
    expect(await cli.json([...estimate, ...at])).toMatchObject({ costUsd: "0.15" });
  });

  test("are refused by the flag that is wrong", async () => {
    await cli.install();
    const negative = await cli.run([...OVERRIDE, "--cached-input", "x"]);
    expect(negative).toMatchObject({ code: 1 });
    expect(negative.stderr).toContain("--cached-input");
    const both = await cli.run([...OVERRIDE, "--input", "1", "--discount", "10"]);
    expect(both.stderr).toContain("--discount");
    const neither = await cli.run(OVERRIDE);
    expect(neither).toMatchObject({ code: 2 });
    expect(neither.stderr).toContain("--discount");
    const unknown = await cli.run(["prices", "end", "pov_01JZ6Y4V2S8W3N5R7T9X0B1C2D"]);
    expect(unknown.stderr).toContain("`keyward prices overrides`");
  });

  test("that overlap are refused with the command that makes room, also when the older has ended", async () => {
    await cli.install();
    await cli.run([...OVERRIDE, "--input", "1", "--from", "2026-01-01", "--until", "2026-03-01"]);
    const later = [...OVERRIDE, "--input", "2", "--from", "2026-02-01"];
    const refused = await cli.run(later);
    expect(refused).toMatchObject({ code: 1 });
    const advice = /`keyward (prices end pov_\w+ --at 2026-02-01T00:00:00\.000Z)`/.exec(
      refused.stderr,
    );
    expect(await cli.run(advice?.[1]?.split(" ") ?? [])).toMatchObject({ code: 0 });
    expect(await cli.run(later)).toMatchObject({ code: 0 });
  });
});

describe("an estimate", () => {
  test("of a model that is priced by variant names the variants, and no other model", async () => {
    const { code, stderr } = await cli.run(["estimate", "--model", "dall-e-3", "--images", "1"]);
    expect(code).toBe(1);
    expect(stderr).toContain("hd/1024x1792");
    expect(stderr).not.toContain("dall-e-2");
  });

  test("takes tokens of pictures and of audio", async () => {
    const image = ["estimate", "--model", "gpt-image-1", "--input", "50", "--image-output", "4160"];
    expect(await cli.json(image)).toMatchObject({ costUsd: "0.16665" });
    expect((await cli.run(image)).stdout).toMatch(/^4,160 +image output +\$40 +million tokens/m);
    const speech = ["estimate", "--model", "gpt-4o-mini-tts", "--audio-output", "30"];
    expect(await cli.json(speech)).toMatchObject({ costUsd: "0.00036" });
  });
});

describe("pricing past calls again", () => {
  test("has to be confirmed where there is something to correct, and not where there is nothing", async () => {
    await cli.install();
    const nothing = await cli.run(["prices", "reprice", "--from", "30d"]);
    expect(nothing).toMatchObject({ code: 0 });
    expect(nothing.stdout).toMatch(/^examined +0$/m);
    expect(await cli.run(["prices", "corrections"])).toMatchObject({ stderr: "no corrections\n" });
    expect(await cli.run(["prices", "reprice"])).toMatchObject({ code: 2 });
  });
});

describe("an environment's policy", () => {
  test("is set by name, and shown", async () => {
    await cli.install();
    const set = await cli.run(["environments", "set-policy", "production", "--unpriced", "refuse"]);
    expect(set).toMatchObject({
      code: 0,
      stdout: "environment production: unpriced models refuse\n",
    });
    expect((await cli.run(["environments", "list"])).stdout).toMatch(/^production .* refuse /m);
    const bad = await cli.run(["environments", "set-policy", "production", "--unpriced", "maybe"]);
    expect(bad).toMatchObject({ code: 2 });
    const nowhere = ["environments", "set-policy", "nowhere", "--unpriced", "refuse"];
    expect(await cli.run(nowhere)).toMatchObject({ code: 1 });
  });
});

const table = (text: string): string => {
  const path = join(cli.cwd, "table.json");
  writeFileSync(path, text);
  return path;
};
const litellm = (usd: number): string =>
  JSON.stringify({ "gpt-4o-mini": { litellm_provider: "openai", input_cost_per_token: usd } });

describe("the comparison with another table", () => {
  test("ends well when nothing differs, and with 1 and both prices when something does", async () => {
    const same = await cli.run(["prices", "check", "--against", table(litellm(1.5e-7))]);
    expect(same).toMatchObject({ code: 0, stderr: "" });
    expect(same.stdout).toContain("1 price compared, 0 different");
    const other = await cli.run(["prices", "check", "--against", table(litellm(2e-7))]);
    expect(other.code).toBe(1);
    expect(other.stdout).toMatch(
      /openai +gpt-4o-mini +default +input +\$0\.15 +\$0\.2 +million tokens/,
    );
    expect(other.stdout).toContain("only here:");
    const json = await cli.run(["prices", "check", "--json", "--against", table(litellm(2e-7))]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      compared: 1,
      differences: [{ theirsUsd: "0.2" }],
    });
  });

  test.each([
    ["[", "is no JSON"],
    ["1", "is no JSON"],
    ["{}", "is no table of prices that is known"],
  ])("says what is wrong with a file that holds %s", async (text, reason) => {
    const run = await cli.run(["prices", "check", "--against", table(text)]);
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toContain(reason);
  });

  test("says which providers a table has, and that a file is not there", async () => {
    const file = table(litellm(1));
    const run = await cli.run(["prices", "check", "--against", file, "--provider", "groq"]);
    expect(run.stderr).toContain("it has openai");
    const missing = await cli.run(["prices", "check", "--against", "nowhere.json"]);
    expect(missing.stderr).toContain("cannot be read");
  });
});

describe("a forecast", () => {
  const estimate = ["estimate", "--model", "gpt-4o-mini", "--input", "500", "--output", "1500"];

  test("shows a call, a day, a customer, each month and the whole, on every tier", async () => {
    const { stdout, code } = await cli.run([
      ...estimate,
      ..."--calls-per-day 20 --customers 100 --growth 10 --months 3".split(" "),
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^default +\$0\.000975 +\$1\.95 +\$0\.585 +\$58\.5 +\$70\.785 +\$193\.635$/m,
    );
    expect(stdout).toMatch(/^batch +\$0\.0004875 /m);
    expect(stdout).toMatch(/^ +3 +121 +72,600 +\$70\.785$/m);
  });

  test("takes both figures that it is made of", async () => {
    const run = await cli.run([...estimate, "--customers", "100"]);
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(run.stderr).toContain("--calls-per-day");
  });
});
