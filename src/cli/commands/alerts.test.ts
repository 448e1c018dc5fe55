import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type AlertReceiver,
  answerWith,
  startAlertReceiver,
} from "../../../test/support/alert-receiver.ts";
import { cliUnderTest, NOW_MS } from "../../../test/support/cli-under-test.ts";
import { sampleAlert, sampleBatch } from "../../store/contract/alert-samples.contract.ts";

const cli = cliUnderTest();
let receiver: AlertReceiver;

beforeEach(async () => {
  receiver = await startAlertReceiver();
  await cli.install();
});
afterEach(() => receiver.close());

test("a channel is added without its URL on the command line, tested, turned off and removed", async () => {
  const env = {
    HOOK: `${receiver.url}/hook`,
    KEYWARD_ALLOWED_PRIVATE_HOSTS: receiver.host,
  };
  const create = ["alert-channels", "create", "--name", "ops", "--kind", "webhook"];
  const refused = await cli.run([...create, "--secret-env", "HOOK"], { env: { HOOK: env.HOOK } });
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("KEYWARD_ALLOWED_PRIVATE_HOSTS");
  const added = await cli.run([...create, "--secret-env", "HOOK"], { env });
  expect(added.stdout).toMatch(/added ops.*\nsigning secret, shown this once: whsec_/);
  const tested = await cli.run(["alerts", "test"], { env });
  expect(tested).toMatchObject({ code: 0, stdout: "delivered through ops\n" });
  expect(receiver.posts[0]?.headers).toHaveProperty("webhook-signature");
  receiver.answer = answerWith(404);
  const failed = await cli.run(["alerts", "test", "--channel", "ops"], { env });
  expect(failed).toMatchObject({ code: 1, stdout: "failed ops: answered 404\n" });
  expect((await cli.run(["alerts", "test", "--channel", "other"])).code).toBe(1);
  expect((await cli.run(["alert-channels", "update", "ops", "--off"])).stdout).toContain("is off");
  const listed = await cli.run(["alert-channels", "list"]);
  expect(listed.stdout).toContain("off, failed: answered 404");
  receiver.answer = answerWith(200);
  const off = await cli.run(["alerts", "test"], { env });
  expect(off.stderr).toContain("ops is off: alerts are not sent through it");
  const mail = ["alert-channels", "create", "--name", "mail", "--kind", "email"];
  const bare = await cli.run([...mail, "--secret-env", "URL"], {
    env: { URL: "smtp://a.example" },
  });
  expect(bare.stderr).toMatch(/needs --from.*needs --to/s);
  expect(listed.stdout).not.toContain("/hook");
  expect((await cli.run(["alert-channels", "remove", "ops", "--yes"])).code).toBe(0);
  expect((await cli.run(["alert-channels", "list"])).stderr).toContain("no alert channels");
});

test("rules are added, changed and removed", async () => {
  const create = ["alert-rules", "create", "--name", "mine", "--kind", "budget_threshold"];
  const added = await cli.run([...create, "--scope", "customer", "--at", "90", "--at", "60"]);
  expect(added.stdout).toContain("budget_threshold for each customer");
  const changed = await cli.run(["alert-rules", "update", "mine", "--at", "75", "--off"]);
  expect(changed.stdout).toContain("mine is off: percentages 75");
  const listed = await cli.run(["alert-rules", "list"]);
  expect(listed.stdout).toContain("each customer");
  const wrong = await cli.run(["alert-rules", "update", "mine", "--days", "5"]);
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toContain("no setting --days; its settings are --at.");
  const shown = await cli.run(["alert-rules", "show", "mine"]);
  expect(shown.stdout).toMatch(/tells +every channel/);
  expect((await cli.run(["alert-rules", "update", "mine"])).code).toBe(2);
  expect((await cli.run(["alert-rules", "remove", "mine", "--yes"])).code).toBe(0);
});

test("alerts are listed, shown, acknowledged and muted", async () => {
  const alert = sampleAlert({ createdAtMs: NOW_MS, title: "Budget \u001b[31m is used up" });
  await cli.withStore((store) => store.alerts.history.fire([sampleBatch([alert], [])]));
  const listed = await cli.run(["alerts", "list", "--state", "open"]);
  expect(listed.stdout).toContain(alert.id);
  expect(listed.stdout).not.toContain("\u001b");
  const acknowledged = await cli.run(["alerts", "ack", alert.id, "--note", "on it"]);
  expect(acknowledged.stdout).toContain("acknowledged by");
  const shown = await cli.run(["alerts", "show", alert.id]);
  expect(shown.stdout).toContain("on it");
  expect(shown.stdout).toContain("keyward budgets show bud_1");
  expect((await cli.run(["alerts", "retry", alert.id])).stdout).toContain("0 deliveries");
  // By the clock of the one that keeps it: everything is muted for 30 days at most.
  const inThreeWeeks = new Date(Date.now() + 21 * 86_400_000).toISOString().slice(0, 10);
  const muted = await cli.run([
    "alerts",
    "mute",
    "--subject",
    "customer",
    "--of",
    "acme",
    "--until",
    inThreeWeeks,
  ]);
  const id = /mut_\w+/.exec(muted.stdout)?.[0] ?? "";
  expect(muted.stdout).toContain("alerts of every rule about customer acme");
  expect(muted.stderr).toContain("warning: no call of the last 90 days names the customer");
  expect((await cli.run(["alerts", "mutes"])).stdout).toContain("customer acme");
  const until = ["--until", inThreeWeeks];
  expect((await cli.run(["alerts", "mute", ...until])).code).toBe(2);
  expect((await cli.run(["alerts", "mute", "--subject", "customer", ...until])).code).toBe(2);
  const all = await cli.run(["alerts", "mute", "--everything", ...until]);
  expect(all).toMatchObject({ code: 1, stdout: "" });
  const agreed = await cli.run(["alerts", "mute", "--everything", "--yes", ...until]);
  expect(agreed.stdout).toContain("UTC: all alerts (mut_");
  expect((await cli.run(["alerts", "list", "--to", "1d"])).stdout).not.toContain(alert.id);
  expect((await cli.run(["alerts", "list", "--from", "1d"])).stdout).toContain(alert.id);
  expect((await cli.run(["alerts", "unmute", id])).stdout).toContain("no longer muted");
});
