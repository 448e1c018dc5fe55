import { expect, test } from "vitest";
import { cliUnderTest } from "../../../test/support/cli-under-test.ts";
import type { ProviderAccountId } from "../../core/ids/ids.ts";
import { NO_DEMAND, startOfMinute } from "../../core/limits/account-demand.ts";

const cli = cliUnderTest();

test("says how near an account comes to its limits, and the status warns of it", async () => {
  await cli.install();
  const account = ["--name", "main", "--kind", "organization"];
  const { id } = (await cli.json(["provider-accounts", "create", ...account])) as {
    id: ProviderAccountId;
  };
  const show = ["provider-accounts", "limits", "main"];
  expect((await cli.run(show)).stdout).toBe("nothing was asked of main in the last 30 days\n");
  await cli.withStore((store) =>
    store.accountDemand.add([
      {
        ...NO_DEMAND,
        accountId: id,
        model: "gpt-4o",
        minuteMs: startOfMinute(Date.now()),
        requests: 1_200,
        tokens: 5_000,
        waited: 40,
        longestWaitMs: 2_340,
        requestLimit: 1_000,
        tokenLimit: null,
      },
    ]),
  );
  const { code, stdout } = await cli.run(show);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /gpt-4o +requests +1,000 +– +1,200 \(120 %\).* \d{4}-\d\d-\d\d \d\d:\d\d\n/,
  );
  expect(stdout).toMatch(/gpt-4o +tokens +– +– +5,000 /);
  expect(stdout).toMatch(/gpt-4o +40 +2\.3 s +0\n/);
  expect(stdout).toContain("We ask for higher rate limits for our account at openai.");
  expect(await cli.json(show)).toMatchObject({ models: [{ requests: { limit: 1_000 } }] });
  const status = await cli.run(["status"]);
  expect(status.stderr).toContain("120 % of its provider's limit of 1,000");
  expect(status.stderr).toContain("keyward provider-accounts limits main");
});
