import type { AdminClient } from "../../admin/client.ts";
import { counted } from "../../core/text/counted.ts";
import { LIVE_STATUSES } from "../../telemetry/call-feed.ts";
import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { formatTime } from "../format-cells.ts";
import { given } from "../given.ts";
import type { Output } from "../output.ts";
import { parseChoice } from "../parse-choice.ts";
import { followLive, type TailItem } from "../tail/follow-live.ts";
import { formatLiveCall, formatLiveRefusal, liveHeader } from "../tail/format-live.ts";
import { SCOPE_OPTIONS } from "../usage-options.ts";

const { from: _from, to: _to, ...LIVE_SCOPE_OPTIONS } = SCOPE_OPTIONS;
type LiveStatus = (typeof LIVE_STATUSES)[number];

export const tail = defineCommand({
  summary: "show calls as they end",
  details:
    "Provider calls and refusals of a server that runs: the one of the data directory here, or of --url; it needs KEYWARD_ADMIN_TOKEN. What was before is in `keyward usage events`. A server that goes away is waited for, and what may have been missed is said. Each server tells its own calls. Times are in UTC; Control-C ends it.",
  examples: [
    "keyward tail",
    "keyward tail --environment production --errors",
    "keyward tail --customer acme --json | jq -c 'select(.kind == \"call\") | .call.costUsd'",
    "keyward tail --url https://keyward.example.com",
  ],
  reach: "admin",
  printsData: true,
  options: {
    ...LIVE_SCOPE_OPTIONS,
    status: { value: "status", description: "only calls that ended so", choices: LIVE_STATUSES },
    errors: {
      description: "only what did not succeed, refusals among it",
      param: "problems",
    },
  },
  async run({ admin, io, options, output }) {
    const { status, errors, ...scope } = options;
    // Asked for before anything waits: from here on Control-C is an orderly end.
    const { stopped } = io;
    if (errors && status === "succeeded") {
      throw new CliError("--errors and --status succeeded leave nothing to show", {
        isUsage: true,
        advice: "leave one of them out",
      });
    }
    const query = given({
      ...scope,
      status: status === undefined ? undefined : parseChoice(status, isLiveStatus, "--status"),
      problems: errors ? ("true" as const) : undefined,
    });
    const client: AdminClient = await admin("server");
    const items = followLive({
      open: (signal) => client.GET("/live/calls", { params: { query }, parseAs: "stream", signal }),
      stopped,
      onLost: (reason) => output.warn(`the server has gone away (${reason}); waiting for it`),
    });
    for await (const item of items) {
      show(item, output);
      // A reader that is slow makes the server drop, and not this process grow.
      await output.taken(stopped).catch(() => undefined);
    }
  },
});

function show(item: TailItem, output: Output): void {
  if (output.isJson) output.jsonLine(item);
  else if (item.kind === "opened") output.line(liveHeader());
  else if (item.kind === "call") output.line(formatLiveCall(item.call));
  else if (item.kind === "refusal") output.line(formatLiveRefusal(item.refusal));
  if (item.kind === "dropped") {
    const calls = counted(item.count, "call was", "calls were");
    output.warn(`${calls} not shown: they came faster than they were read`);
  } else if (item.kind === "gap") {
    const { from, to, isOtherProcess } = item;
    const server = isOtherProcess ? "another server process" : "the same server process";
    output.warn(
      `connected again, to ${server}; calls that ended between ${formatTime(from)} and ${formatTime(to)} UTC may be missing here: keyward usage events --from ${from} --to ${to}`,
    );
  }
}

function isLiveStatus(word: string): word is LiveStatus {
  return (LIVE_STATUSES as readonly string[]).includes(word);
}
