import { Agent } from "undici";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type AlertReceiver, startAlertReceiver } from "../../../test/support/alert-receiver.ts";
import { HOSTILE_NAME, sampleMessage, sampleNotice } from "../../../test/support/alert-samples.ts";
import type { AlertMessage } from "../alert-message.ts";
import { createSlackSender } from "./slack-sender.ts";

let receiver: AlertReceiver;
let dispatcher: Agent;

beforeEach(async () => {
  receiver = await startAlertReceiver();
  dispatcher = new Agent();
});
afterEach(async () => {
  await dispatcher.destroy();
  await receiver.close();
});

async function textOf(message: AlertMessage): Promise<string> {
  const sender = createSlackSender({ dispatcher, nowMs: Date.now });
  const target = { kind: "slack", url: `${receiver.url}/services/x` } as const;
  expect(await sender.send(message, target, new AbortController().signal)).toEqual({
    kind: "delivered",
  });
  const body = JSON.parse(receiver.posts.at(-1)?.body ?? "") as { readonly text: string };
  expect(body).toMatchObject({ link_names: 0, parse: "none" });
  return body.text;
}

test("says what happened, with the figures and what to do next", async () => {
  expect(await textOf(sampleMessage())).toBe(
    [
      ":warning: *Budget monthly of customer acme is at 83 %*",
      "spent: $83.10 of $100.00",
      "Next: `keyward budgets show bud_1`",
      "Rule: Budgets",
    ].join("\n"),
  );
});

test("lets no name mention anybody, be a link, be emphasised or begin a line", async () => {
  const notice = sampleNotice({
    title: `Budget of ${HOSTILE_NAME}`,
    facts: [{ label: "customer", value: HOSTILE_NAME }],
  });
  const text = await textOf(sampleMessage({ alerts: [notice] }));
  expect(text.split("\n")).toHaveLength(4);
  expect(text).not.toMatch(/<!|<https|\*x\*|@all|\]\(|:\/\/|\u202e/);
  expect(text).toContain("&lt;!channel&gt;");
});

test("leaves ids, times and the command so that they can be copied", async () => {
  const command = "keyward budgets show bud_01M8 --note '`<b>`'";
  const value = "of key_01M8 since 2026-01-31 09:00:10 (UTC), 12 * 3 _x_ :tada: user_id:7";
  const notice = sampleNotice({ facts: [{ label: "policy_rule", value }], command });
  const text = await textOf(sampleMessage({ alerts: [notice] }));
  expect(text).toContain("`keyward budgets show bud_01M8 --note ''&lt;b&gt;''`");
  expect(text).toContain("policy_rule: of key_01M8 since 2026-01-31 09:00:10 (UTC), 12 *\u200B 3 ");
  expect(text).toContain("_\u200Bx_\u200B :\u200Btada: user_id:7");
});

test("tells of many alerts in one message that stays short", async () => {
  const alerts = Array.from({ length: 20 }, (_, index) =>
    sampleNotice({ title: `Budget of ${"&".repeat(250)}${index} is at 80 %` }),
  );
  const text = await textOf(sampleMessage({ alerts, total: 4_321 }));
  expect(text).toMatch(/^:warning: \*4321 alerts: Budgets\*\n• Budget of (&amp;)+/);
  expect(text).toContain("4301 more of this kind");
  expect(text.length).toBeLessThan(4_000);
  expect(text.replaceAll("&amp;", "")).not.toContain("&");
});
