import type { components } from "../../admin/api-types.ts";
import { expectData } from "../../admin/client.ts";
import type { Config } from "../../config/config-schema.ts";
import { counted } from "../../core/text/counted.ts";
import { defineCommand } from "../command.ts";
import {
  describeConflict,
  describeDue,
  dueRemedyOf,
  formatFoundOwners,
  remedyOf,
} from "../describe-key-standing.ts";
import {
  describeAuditProblem,
  describeOpenLeak,
  describeStolenSecret,
  describeStuckWork,
  leakRemedyOf,
  leaksBeside,
  stolenRemedyOf,
  stuckRemedyOf,
} from "../describe-trouble.ts";
import { formatCount, formatOptionalTime, formatTime } from "../format-cells.ts";
import type { Output } from "../output.ts";
import type { Column } from "../table.ts";

const DAY_MS = 86_400_000;

const ANSWERED_BY = {
  provider: "its provider",
  simulator: "the built-in simulator",
  nobody: "nobody: calls are refused until it has a provider key",
} as const;

type EnvironmentStatus = components["schemas"]["EnvironmentStatus"];

function formatProviderKeys({
  activeProviderKeys,
  refusedProviderKeys,
}: EnvironmentStatus): string {
  const refused =
    refusedProviderKeys === 0 ? "" : ` (${formatCount(refusedProviderKeys)} shut out)`;
  return `${formatCount(activeProviderKeys)}${refused}`;
}

function formatAnswerer(environment: EnvironmentStatus): string {
  const { answeredBy, activeProviderKeys, simulatorKeys } = environment;
  if (answeredBy === "provider" && simulatorKeys > 0) {
    return "its provider, and the simulator, which makes answers up";
  }
  if (answeredBy === "nobody" && activeProviderKeys > 0) {
    return "nobody: its policy shuts every provider key out";
  }
  return ANSWERED_BY[answeredBy];
}

export const status = defineCommand({
  summary: "say what is there and whether it runs",
  examples: ["keyward status", "keyward status --url https://keyward.example.com --json"],
  reach: "admin",
  printsData: true,
  async run({ admin, config, output }) {
    const client = await admin();
    const found = expectData(await client.GET("/status"));
    const query = { from: new Date(Date.parse(found.time) - DAY_MS).toISOString() };
    const refusals = expectData(await client.GET("/usage/refusals", { params: { query } }));
    const refused = refusals.data.reduce((sum, { calls }) => sum + calls, 0);
    const server = found.startedAt === null ? await serverHere(await config()) : serverOf(found);
    await output.data({ ...found, isRunning: server.isRunning, urls: server.urls }, async () => {
      const { store, ledger, rootKey, urls } = found;
      output.facts([
        ["version", found.version],
        ["server", server.description],
        ...urls.map((url) => ["url", url] as const),
        ["store", `${store.kind}, schema ${store.schema}`],
        ["root key", `${rootKey.id} (fingerprint ${rootKey.fingerprint})`],
        ["calls", `${formatCount(found.callsLastDay)} in the last 24 hours`],
        ...(refused === 0
          ? []
          : ([
              ["refused", `${formatCount(refused)} in the last 24 hours: keyward usage refusals`],
            ] as const)),
        ...(ledger === null
          ? []
          : ([
              ["in flight", formatCount(ledger.openIntents)],
              ["to be flushed", formatCount(ledger.pendingEvents)],
              ["last flush", formatOptionalTime(ledger.lastFlushAt)],
            ] as const)),
      ]);
      if (ledger !== null && ledger.lastFlushError !== null) {
        output.warn(`the last flush failed: ${ledger.lastFlushError}`);
      }
      if (found.auditProblem !== null) {
        output.warn(`${describeAuditProblem(found.auditProblem)}: keyward audit verify`);
      }
      for (const near of found.limitsNear) output.warn(describeLimitNear(near));
      warnOfKeys(found, output);
      for (const { name, refusedProviderKeys: shutOut } of found.environments) {
        if (shutOut === 0) continue;
        const keys = counted(shutOut, "provider key");
        output.warn(`the policy of ${name} shuts out ${keys}: keyward environments policy ${name}`);
      }
      if (found.processes.length > 0) {
        output.line();
        await output.table(found.processes, PROCESS_COLUMNS);
      }
      output.line();
      await output.table(found.environments.toReversed(), [
        { title: "environment", value: ({ name }) => name },
        { title: "kind", value: ({ kind }) => kind },
        { title: "keys", value: ({ keys }) => formatCount(keys), isNumber: true },
        {
          title: "provider keys",
          value: formatProviderKeys,
          isNumber: true,
        },
        { title: "answered by", value: formatAnswerer },
      ]);
      if (found.accounts.length === 0) return;
      output.line();
      await output.table(found.accounts, [
        { title: "account", value: ({ account }) => account },
        { title: "declared", value: ({ declared }) => declared },
        { title: "keys found to be", value: formatFoundOwners },
      ]);
    });
  },
});

/** What has leaked, failed or is due, and whose keys are not whose they were said to be, unless the environment does not mind. */
function warnOfKeys(found: components["schemas"]["Status"], output: Output): void {
  const { accounts, rotationsDue, stolenSecrets, stuckWork, openLeaks, time } = found;
  for (const leak of leaksBeside(openLeaks, stolenSecrets)) {
    output.warn(`${describeOpenLeak(leak)}: ${leakRemedyOf(leak)}`);
  }
  for (const stolen of stolenSecrets) {
    output.warn(`${describeStolenSecret(stolen)}: ${stolenRemedyOf(stolen)}`);
  }
  for (const work of stuckWork) output.warn(`${describeStuckWork(work)}: ${stuckRemedyOf(work)}`);
  for (const due of rotationsDue) {
    output.warn(`${describeDue(due, Date.parse(time))}: ${dueRemedyOf(due)}`);
  }
  for (const account of accounts) {
    for (const conflict of account.conflicts) {
      const said = describeConflict(account, conflict);
      if (conflict.rule === "off") output.note(said);
      else output.warn(`${said}: ${remedyOf(account, conflict)}`);
    }
  }
}

function describeLimitNear({
  accountName,
  model,
  of,
  limit,
  peak,
}: components["schemas"]["AccountLimitNear"]): string {
  const asked = `${formatCount(peak.amount)} ${of} for ${model} in the minute of ${formatTime(peak.minute)}`;
  const share = `${peak.percent} % of its provider's limit of ${formatCount(limit)}`;
  return `account ${accountName} was asked for ${asked}, ${share}: keyward provider-accounts limits ${accountName}`;
}

type Process = components["schemas"]["ProcessStatus"];

const PROCESS_COLUMNS: readonly Column<Process>[] = [
  { title: "process", value: ({ id }) => id },
  { title: "machine", value: ({ hostName }) => hostName },
  { title: "pid", value: ({ pid }) => String(pid), isNumber: true },
  { title: "version", value: ({ version }) => version },
  { title: "started", value: ({ startedAt }) => formatTime(startedAt) },
  {
    title: "state",
    value: ({ state, heartbeatAt, isAnswering }) =>
      state === "silent"
        ? `silent since ${formatTime(heartbeatAt)}`
        : `running${isAnswering ? ", answers this" : ""}`,
  },
];

interface FoundServer {
  readonly isRunning: boolean;
  /** Where it answers, as far as that is known from here. */
  readonly urls: readonly string[];
  readonly description: string;
}

function serverOf(found: {
  readonly startedAt: string | null;
  readonly urls: string[];
}): FoundServer {
  const since = formatOptionalTime(found.startedAt);
  return { isRunning: true, urls: found.urls, description: `running since ${since}` };
}

/** A server on a data directory holds a journal there. What answers at the address of the settings may be another. */
async function serverHere(config: Config): Promise<FoundServer> {
  const { findServerHere } = await import("../server-here.ts");
  const { url, answerer, running } = await findServerHere(config);
  const { kind } = answerer;
  if (running > 0) {
    return kind === "keyward"
      ? { isRunning: true, urls: [url], description: `running, at ${url}` }
      : { isRunning: true, urls: [], description: `running, not at ${url}` };
  }
  const other = kind === "keyward" ? "another Keyward" : "another program";
  const description = kind === "nobody" ? "not running" : `not running; ${other} answers at ${url}`;
  return { isRunning: false, urls: [], description };
}
