import type { components } from "../../admin/api-types.ts";
import { expectData } from "../../admin/client.ts";
import { ALERT_CHANNEL_KINDS, type AlertChannelKind } from "../../core/alerts/alert-channel.ts";
import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { formatOptionalTime } from "../format-cells.ts";
import { given } from "../given.ts";
import { parseChoice } from "../parse-choice.ts";
import { agree } from "../prompts.ts";
import { readSecret, SECRET_OPTIONS } from "../read-secret.ts";

type Channel = components["schemas"]["AlertChannel"];

const ID = { id: { description: "the channel's name or id" } } as const;

const list = defineCommand({
  summary: "list alert channels, and how each is",
  examples: ["keyward alert-channels list", "keyward alert-channels list --json"],
  reach: "admin",
  printsData: true,
  async run({ admin, output }) {
    const client = await admin();
    const answer = expectData(await client.GET("/alert-channels", {}));
    await output.data(answer, async () => {
      if (answer.data.length === 0) {
        return output.note(
          "no alert channels: alerts are kept in `keyward alerts list` and sent to nobody; add one with `keyward alert-channels create`",
        );
      }
      await output.table(answer.data, [
        { title: "name", value: (channel) => channel.name },
        { title: "kind", value: (channel) => channel.kind },
        { title: "leads to", value: formatPlace },
        { title: "state", value: formatState },
        {
          title: "last delivered (UTC)",
          value: (channel) => formatOptionalTime(channel.lastDeliveredAt),
        },
        { title: "id", value: (channel) => channel.id },
      ]);
    });
  },
});

function formatPlace({ kind, preview, recipients }: Channel): string {
  return kind === "email" ? `${recipients.join(", ")} by ${preview}` : preview;
}

/** `well`, `not tried yet`, `failed: answered 404`, `off, 3 waiting: answered 503` */
function formatState(channel: Channel): string {
  const { isEnabled, waiting, givenUp, lastProblem, lastDeliveredAt } = channel;
  const isFailing = lastProblem !== null && waiting === 0 && givenUp === 0;
  const parts = [
    ...(isEnabled ? [] : ["off"]),
    ...(isFailing ? ["failed"] : []),
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
    ...(givenUp > 0 ? [`${givenUp} given up`] : []),
  ];
  if (parts.length === 0) return lastDeliveredAt === null ? "not tried yet" : "well";
  return lastProblem === null ? parts.join(", ") : `${parts.join(", ")}: ${lastProblem}`;
}

const create = defineCommand({
  summary: "add a channel that alerts are sent to",
  details:
    "The URL (of the webhook, or of the mail server: smtps://user:password@host) is a secret: it is asked for without showing it, or read from standard input or an environment variable.",
  examples: [
    "keyward alert-channels create --name ops --kind slack",
    "keyward alert-channels create --name pager --kind webhook --secret-env WEBHOOK_URL",
    "keyward alert-channels create --name mail --kind email --from keyward@example.com --to ops@example.com --secret-env SMTP_URL",
  ],
  reach: "admin",
  printsData: true,
  options: {
    name: { value: "name", description: "for people and for rules", isRequired: true },
    kind: {
      value: "kind",
      description: "how it is sent",
      choices: ALERT_CHANNEL_KINDS,
      isRequired: true,
    },
    from: { value: "address", description: "of kind email: the sender", param: "sender" },
    to: {
      value: "address",
      description: "of kind email: a recipient",
      param: "recipients",
      isRepeatable: true,
    },
    ...SECRET_OPTIONS,
  },
  async run({ admin, io, options, output }) {
    const { name, from, to } = options;
    const kind = parseChoice(options.kind, isChannelKind, "--kind");
    const secret = await readSecret(io, options, kind === "email" ? "SMTP URL: " : "URL: ");
    const recipients = to.length === 0 ? undefined : [...to];
    const place = kind === "email" ? { smtpUrl: secret } : { url: secret };
    const body = { name, kind, ...place, ...given({ sender: from, recipients }) };
    const client = await admin();
    const channel = expectData(await client.POST("/alert-channels", { body }));
    await output.data(channel, () => {
      output.line(`added ${channel.name}, which leads to ${formatPlace(channel)} (${channel.id})`);
      if (channel.signingSecret !== null) {
        output.line(`signing secret, shown this once: ${channel.signingSecret}`);
      }
      output.note(`next: keyward alerts test --channel ${channel.id}`);
    });
  },
});

function isChannelKind(word: string): word is AlertChannelKind {
  return (ALERT_CHANNEL_KINDS as readonly string[]).includes(word);
}

const update = defineCommand({
  summary: "change an alert channel, or turn it off and on",
  details: "One that is off keeps what waits for it. For another URL add another channel.",
  examples: [
    "keyward alert-channels update ops --off",
    "keyward alert-channels update mail --to ops@example.com --to anna@example.com",
  ],
  reach: "admin",
  printsData: true,
  arguments: ID,
  options: {
    name: { value: "name", description: "another name" },
    from: { value: "address", description: "of kind email: the sender", param: "sender" },
    to: {
      value: "address",
      description: "of kind email: a recipient, in place of those there are",
      param: "recipients",
      isRepeatable: true,
    },
    on: { description: "send through it" },
    off: { description: "send nothing through it" },
  },
  async run({ admin, arguments: { id }, options, output }) {
    const { name, from, to, on, off } = options;
    if (on && off) throw new CliError("--on and --off exclude each other", { isUsage: true });
    const recipients = to.length === 0 ? undefined : [...to];
    const isEnabled = on ? true : off ? false : undefined;
    const body = given({ name, sender: from, recipients, isEnabled });
    if (Object.keys(body).length === 0) {
      throw new CliError("nothing to change was named", { isUsage: true });
    }
    const client = await admin();
    const params = { path: { id } };
    const channel = expectData(await client.PATCH("/alert-channels/{id}", { params, body }));
    await output.data(channel, () =>
      output.line(`${channel.name} is ${channel.isEnabled ? "on" : "off"} (${channel.id})`),
    );
  },
});

const remove = defineCommand({
  summary: "remove an alert channel, with what waits for it",
  examples: ["keyward alert-channels remove ops --yes"],
  reach: "admin",
  printsData: true,
  arguments: ID,
  options: { yes: { description: "do not ask" } },
  async run({ admin, arguments: { id }, io, options, output }) {
    const client = await admin();
    const params = { path: { id } };
    const channel = expectData(await client.GET("/alert-channels/{id}", { params }));
    await agree({ io, isAgreed: options.yes }, `Remove ${channel.name}?`);
    const removed = expectData(await client.DELETE("/alert-channels/{id}", { params }));
    await output.data(removed, () => output.line(`removed ${channel.name} (${channel.id})`));
  },
});

export const alertChannels = { list, create, update, remove };
