import type { components } from "../../admin/api-types.ts";
import { expectData } from "../../admin/client.ts";
import { ALERT_KINDS, ALERT_SEVERITIES } from "../../core/alerts/alert-rule.ts";
import { ALERT_SUBJECT_KINDS, type AlertSubjectKind } from "../../store/alert-records.ts";
import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { formatOptional, formatTime } from "../format-cells.ts";
import { given } from "../given.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";
import { parseChoice } from "../parse-choice.ts";
import { parseWhen } from "../parse-when.ts";
import { agree } from "../prompts.ts";
import { RANGE_OPTIONS, rangeOf } from "../usage-options.ts";

type Alert = components["schemas"]["Alert"];

const ID = { id: { description: "the alert's id" } } as const;
const STATES = ["open", "acknowledged"] as const;

const list = defineCommand({
  summary: "list alerts, newest first",
  examples: ["keyward alerts list --state open", "keyward alerts list --severity critical --json"],
  reach: "admin",
  printsData: true,
  options: {
    state: { value: "state", description: "only those in this state", choices: STATES },
    severity: { value: "severity", description: "only of this one", choices: ALERT_SEVERITIES },
    kind: { value: "kind", description: "only of this kind", choices: ALERT_KINDS },
    rule: { value: "name", description: "only those of this rule" },
    ...RANGE_OPTIONS,
    ...PAGE_OPTIONS,
  },
  run: (context) =>
    printPage(context, {
      what: "alerts",
      fetch(client, page) {
        const { state, severity, kind, rule } = context.options;
        const query = {
          ...page,
          ...rangeOf(context),
          ...given({
            state: choice(state, STATES, "--state"),
            severity: choice(severity, ALERT_SEVERITIES, "--severity"),
            kind: choice(kind, ALERT_KINDS, "--kind"),
            rule,
          }),
        };
        return client.GET("/alerts", { params: { query } });
      },
      columns: [
        { title: "fired (UTC)", value: (alert) => formatTime(alert.firedAt) },
        { title: "severity", value: (alert) => alert.severity },
        { title: "what", value: (alert) => alert.title },
        { title: "state", value: formatState },
        { title: "id", value: (alert) => alert.id },
      ],
    }),
});

function choice<Word extends string>(
  word: string | undefined,
  words: readonly Word[],
  flag: string,
): Word | undefined {
  if (word === undefined) return undefined;
  const isWord = (text: string): text is Word => (words as readonly string[]).includes(text);
  return parseChoice(word, isWord, flag);
}

/** `open`, `open, muted`, `acknowledged by anna` */
function formatState({ state, muteId, acknowledgedBy }: Alert): string {
  const by = acknowledgedBy === null ? "" : ` by ${acknowledgedBy}`;
  return `${state}${by}${muteId === null ? "" : ", muted"}`;
}

const show = defineCommand({
  summary: "show an alert, and how its deliveries go",
  examples: ["keyward alerts show alt_01JZ6Y4V2S8W3N5R7T9X0B1C2D"],
  reach: "admin",
  printsData: true,
  arguments: ID,
  async run({ admin, arguments: { id }, output }) {
    const client = await admin();
    const alert = expectData(await client.GET("/alerts/{id}", { params: { path: { id } } }));
    await output.data(alert, () => {
      output.line(alert.title);
      output.facts([
        ...alert.facts.map(({ label, value }) => [label, value] as const),
        ["fired", `${formatTime(alert.firedAt)} UTC`],
        ["severity", alert.severity],
        ["rule", alert.rule],
        ["state", formatState(alert)],
        ["note", formatOptional(alert.note)],
        ...alert.deliveries.map(
          (one) => [`to ${one.channel ?? one.channelId}`, formatDelivery(one)] as const,
        ),
        ["next", alert.command],
      ]);
    });
  },
});

type Delivery = components["schemas"]["AlertDetail"]["deliveries"][number];

/** `delivered`, `waiting: answered 503 (4 attempts)` */
function formatDelivery({ state, problem, attempts }: Delivery): string {
  const word = state.replace("_", " ");
  return problem === null ? word : `${word}: ${problem} (${attempts} attempts)`;
}

const ack = defineCommand({
  summary: "acknowledge an alert: somebody has seen it",
  examples: ["keyward alerts ack alt_01JZ6Y4V2S8W3N5R7T9X0B1C2D --note 'on it'"],
  reach: "admin",
  printsData: true,
  arguments: ID,
  options: { note: { value: "text", description: "why, or what is done about it" } },
  async run({ admin, arguments: { id }, options: { note }, output }) {
    const client = await admin();
    const params = { path: { id } };
    const body = given({ note });
    const alert = expectData(await client.POST("/alerts/{id}/ack", { params, body }));
    await output.data(alert, () => output.line(`${formatState(alert)}: ${alert.title}`));
  },
});

const retry = defineCommand({
  summary: "send what was not delivered of an alert at once, also what was given up",
  examples: ["keyward alerts retry alt_01JZ6Y4V2S8W3N5R7T9X0B1C2D"],
  reach: "admin",
  printsData: true,
  arguments: ID,
  async run({ admin, arguments: { id }, output }) {
    const client = await admin();
    const params = { path: { id } };
    const alert = expectData(await client.POST("/alerts/{id}/retry", { params }));
    await output.data(alert, () => {
      const waiting = alert.deliveries.filter(({ state }) => state === "waiting").length;
      output.line(`${waiting} deliveries are tried as soon as a gateway runs (${alert.id})`);
    });
  },
});

const test = defineCommand({
  summary: "send a test alert now, through every channel or one",
  examples: ["keyward alerts test", "keyward alerts test --channel ops"],
  reach: "admin",
  printsData: true,
  options: { channel: { value: "name", description: "only through this one" } },
  async run({ admin, options: { channel }, output }) {
    const client = await admin();
    const { data: channels } = expectData(await client.GET("/alert-channels", {}));
    const meant = channels.filter(
      ({ id, name }) => channel === undefined || channel === id || channel === name,
    );
    if (meant.length === 0) {
      throw new CliError(
        channel === undefined
          ? "there is no alert channel"
          : "there is no alert channel of this name",
        {
          advice:
            "see `keyward alert-channels list`, or add one with `keyward alert-channels create`",
        },
      );
    }
    const results: (components["schemas"]["AlertTestResult"] & {
      readonly channelId: string;
      readonly channel: string;
    })[] = [];
    for (const { id, name } of meant) {
      const params = { path: { id } };
      const result = expectData(await client.POST("/alert-channels/{id}/test", { params }));
      results.push({ channelId: id, channel: name, ...result });
    }
    await output.data({ data: results }, () => {
      for (const { channel: name, problem, isEnabled } of results) {
        if (problem === null) output.marked("delivered", "green", `through ${name}`);
        else output.marked("failed", "red", `${name}: ${problem}`);
        if (!isEnabled) output.note(`${name} is off: alerts are not sent through it`);
      }
    });
    if (results.some(({ isDelivered }) => !isDelivered)) {
      throw new CliError("not every channel took the test");
    }
  },
});

const mute = defineCommand({
  summary: "send no alerts of a rule, or about something, until a time",
  details:
    "What fires meanwhile is in the history, and is not sent later. All alerts at once are muted by --everything alone.",
  examples: [
    "keyward alerts mute --rule 'Provider calls that fail' --until 2026-02-01T08:00:00Z --reason 'the provider works on it'",
    "keyward alerts mute --subject customer --of acme --until 2026-02-01T08:00:00Z",
    "keyward alerts mute --everything --until 1h --yes",
  ],
  reach: "admin",
  printsData: true,
  options: {
    until: { value: "time", description: "when alerts are sent again", isRequired: true },
    rule: { value: "name", description: "only those of this rule" },
    subject: {
      value: "kind",
      description: "only those about one of this kind, named by --of",
      choices: ALERT_SUBJECT_KINDS,
      param: "subject.kind",
    },
    of: { value: "id", description: "which one, by name or id", param: "subject.id" },
    everything: { description: "all alerts, of every rule and about whatever" },
    reason: { value: "text", description: "for people" },
    yes: { description: "do not ask" },
  },
  async run({ admin, io, options, output }) {
    const { rule, of, reason, everything } = options;
    const subjectKind = choice(options.subject, ALERT_SUBJECT_KINDS, "--subject");
    if (of !== undefined && subjectKind === undefined) {
      throw new CliError("--of needs --subject", { isUsage: true });
    }
    if (subjectKind !== undefined && subjectKind !== "organization" && of === undefined) {
      throw new CliError(`--subject ${subjectKind} needs --of, which says which`, {
        isUsage: true,
      });
    }
    if (everything === ((rule ?? subjectKind) !== undefined)) {
      throw new CliError("name --rule or --subject, or say --everything", { isUsage: true });
    }
    const when = { nowMs: io.nowMs(), flag: "--until", direction: "ahead" } as const;
    const until = parseWhen(options.until, when);
    const subject: { kind: AlertSubjectKind; id?: string } | undefined =
      subjectKind === undefined ? undefined : { kind: subjectKind, ...given({ id: of }) };
    if (everything) {
      const question = `Send no alert at all until ${formatTime(until)} UTC?`;
      await agree({ io, isAgreed: options.yes }, question);
    }
    const client = await admin();
    const all = everything ? ({ everything } as const) : {};
    const body = { until, ...all, ...given({ rule, subject, reason }) };
    const made = expectData(await client.POST("/alerts/mutes", { body }));
    await output.data(made, () => {
      output.line(`muted until ${formatTime(made.until)} UTC: ${formatMuted(made)} (${made.id})`);
      if (made.warning !== null) output.note(`warning: ${made.warning}`);
      output.note(`to end it before: keyward alerts unmute ${made.id}`);
    });
  },
});

type Mute = components["schemas"]["AlertMute"];

/** `alerts of every rule about customer acme`, `all alerts` */
function formatMuted(one: Mute): string {
  if (one.ruleId === null && one.subject === null) return "all alerts";
  const about = one.subject === null ? "" : ` about ${formatAbout(one)}`;
  return `alerts of ${one.ruleId === null ? "every rule" : formatRule(one)}${about}`;
}

function formatRule({ rule, ruleId }: Mute): string {
  return rule ?? (ruleId === null ? "every" : `${ruleId} (removed)`);
}

function formatAbout({ subject, subjectName }: Mute): string {
  if (subject === null) return "whatever";
  if (subject.kind === "organization") return "the organization";
  if (subject.id === "") return `calls without a ${subject.kind}`;
  return `${subject.kind} ${subjectName ?? subject.id}`;
}

const mutes = defineCommand({
  summary: "list mutes, newest first",
  examples: ["keyward alerts mutes"],
  reach: "admin",
  printsData: true,
  options: PAGE_OPTIONS,
  run: (context) =>
    printPage(context, {
      what: "mutes",
      fetch: (client, page) => client.GET("/alerts/mutes", { params: { query: page } }),
      columns: [
        { title: "until (UTC)", value: (one) => formatTime(one.until) },
        { title: "state", value: (one) => (one.isActive ? "holds" : "over") },
        { title: "rule", value: formatRule },
        { title: "about", value: formatAbout },
        { title: "by", value: (one) => one.createdBy },
        { title: "reason", value: (one) => formatOptional(one.reason) },
        { title: "id", value: (one) => one.id },
      ],
    }),
});

const unmute = defineCommand({
  summary: "end a mute before its time",
  examples: ["keyward alerts unmute mut_01JZ6Y4V2S8W3N5R7T9X0B1C2D"],
  reach: "admin",
  printsData: true,
  arguments: { id: { description: "the mute's id" } },
  async run({ admin, arguments: { id }, output }) {
    const client = await admin();
    const params = { path: { id } };
    const ended = expectData(await client.POST("/alerts/mutes/{id}/end", { params }));
    await output.data(ended, () =>
      output.line(`no longer muted: ${formatMuted(ended)} (${ended.id})`),
    );
  },
});

export const alerts = { list, show, ack, retry, test, mute, mutes, unmute };
