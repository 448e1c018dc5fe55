import { expectData } from "../../admin/client.ts";
import { defineCommand } from "../command.ts";
import { describeProvision, followProvision, type Provision } from "../follow-provision.ts";
import { formatOptional, formatOptionalTime, formatTime } from "../format-cells.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";

const EXAMPLE_ID = "pvn_01JZ6Y4V2S8W3N5R7T9X0B1C2D";
const ID_ARGUMENT = { id: { description: "the provision's id" } } as const;

const list = defineCommand({
  summary: "list provisions, newest first",
  examples: ["keyward provisions list", "keyward provisions list --json"],
  reach: "admin",
  printsData: true,
  options: PAGE_OPTIONS,
  run: (context) =>
    printPage(context, {
      what: "provisions",
      fetch: (client, query) => client.GET("/provisions", { params: { query } }),
      columns: [
        { title: "environment", value: (provision) => formatOptional(provision.environment) },
        { title: "account", value: (provision) => formatOptional(provision.account) },
        { title: "state", value: formatState },
        { title: "project", value: (provision) => formatOptional(provision.projectId) },
        { title: "begun", value: (provision) => formatTime(provision.createdAt) },
        { title: "ended", value: (provision) => formatOptionalTime(provision.endedAt) },
        { title: "id", value: (provision) => provision.id },
      ],
    }),
});

const show = defineCommand({
  summary: "show a provision: what was made, what is in the way",
  examples: [
    `keyward provisions show ${EXAMPLE_ID}`,
    `keyward provisions show ${EXAMPLE_ID} --wait`,
  ],
  reach: "admin",
  printsData: true,
  arguments: ID_ARGUMENT,
  options: { wait: { description: "wait until it has ended" } },
  async run({ admin, arguments: { id }, io, options, output }) {
    const client = await admin();
    const found = expectData(await client.GET("/provisions/{id}", { params: { path: { id } } }));
    const provision = options.wait
      ? await followProvision(client, found, { output, stopped: io.stopped })
      : found;
    await output.data(provision, () => {
      output.facts([
        ["environment", formatOptional(provision.environment)],
        ["account", formatOptional(provision.account)],
        ["state", formatState(provision)],
        ["project", `${provision.projectName} (${formatOptional(provision.projectId)})`],
        ["provider key", `${provision.keyName} (${formatOptional(provision.preview)})`],
        ["in the way", formatOptional(provision.problem)],
        ["next try", formatOptionalTime(provision.nextAttemptAt)],
      ]);
      output.line();
      for (const { at, state, text } of provision.notes) {
        output.line(`${formatTime(at)}  ${state}: ${text}`);
      }
    });
  },
});

const retry = defineCommand({
  summary: "go on with a provision that failed, or waits for its next try, now",
  details:
    "One that was under way in a backup, and is on hold since that was restored, goes on with --original-gone alone: where the installation of the backup is alive, what it has made at the provider would be deleted.",
  examples: [
    `keyward provisions retry ${EXAMPLE_ID}`,
    `keyward provisions retry ${EXAMPLE_ID} --original-gone`,
  ],
  reach: "admin",
  printsData: true,
  arguments: ID_ARGUMENT,
  options: {
    "original-gone": {
      description: "the installation of the backup that was restored is gone for good",
    },
  },
  async run({ admin, arguments: { id }, io, options, output }) {
    const client = await admin();
    const params = { path: { id } };
    const originalGone = options["original-gone"];
    const begun = expectData(
      await client.POST("/provisions/{id}/retry", { params, body: { originalGone } }),
    );
    const followed = await followProvision(client, begun, { output, stopped: io.stopped });
    await output.data(followed, () => describeProvision(followed, output));
  },
});

const cancel = defineCommand({
  summary: "call a provision off: what was made is deleted, the project archived",
  details: "Until the key is the environment's; from then on it is revoked as any other.",
  examples: [`keyward provisions cancel ${EXAMPLE_ID}`],
  reach: "admin",
  printsData: true,
  arguments: ID_ARGUMENT,
  async run({ admin, arguments: { id }, io, output }) {
    const client = await admin();
    const params = { path: { id } };
    const begun = expectData(await client.POST("/provisions/{id}/cancel", { params }));
    const followed = await followProvision(client, begun, { output, stopped: io.stopped });
    await output.data(followed, () => describeProvision(followed, output));
  },
});

function formatState({ state, failedIn }: Provision): string {
  return failedIn === null ? state : `${state} in ${failedIn}`;
}

export const provisions = { list, show, retry, cancel };
