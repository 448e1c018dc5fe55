import { createRoute, z } from "@hono/zod-openapi";
import { hasSimulatorStandIn } from "../../core/environments/environment.ts";
import { SILENT_AFTER_MS } from "../../core/processes/heartbeat.ts";
import type { LedgerStatus } from "../../ledger/ledger.ts";
import { listAll } from "../../store/list-all.ts";
import type { EnvironmentRecord, ProcessRecord } from "../../store/records.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { jsonAnswer } from "../answers/json-content.ts";
import { errorAnswers } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { formatInstant, formatOptionalInstant, instantAnswer } from "../fields/instants.ts";
import { findKeyStanding } from "../key-standing.ts";
import { countKeyWays, type KeyWays } from "../key-ways.ts";
import { listOpenLeaks } from "../leak-standing.ts";
import { NameLookup } from "../name-lookup.ts";
import { listStolenSecrets } from "../stolen-secrets.ts";
import { findStuckWork } from "../stuck-work.ts";
import { auditProblemSchema } from "./audit-schemas.ts";
import {
  accountOwnershipSchema,
  DUE_DESCRIPTION,
  dueRotationSchema,
  formatDue,
  formatOwnerships,
} from "./key-standing-answers.ts";
import { formatLeak, leakSchema } from "./leak-answers.ts";
import { limitNearSchema, LIMITS_NEAR_DESCRIPTION, listLimitsNear } from "./limits-near.ts";
import {
  formatStolenSecrets,
  STOLEN_DESCRIPTION,
  stolenSecretSchema,
} from "./stolen-secret-answers.ts";
import { formatStuckWork, STUCK_DESCRIPTION, stuckWorkSchema } from "./stuck-work-answers.ts";

/** Counting costs time for each key, on the connection that also looks keys up. */
const MAX_COUNTED_KEYS = 10_000;
const DAY_MS = 86_400_000;
/** What is beyond it is in `GET /leaks`. */
const MAX_LEAKS_TOLD = 100;

const count = (description: string) => z.number().openapi({ type: "integer", description });

const ledgerSchema = z
  .object({
    openIntents: count("Calls that are under way."),
    pendingEvents: count("Calls that have ended and are not in the database yet."),
    journalBytes: count("Size of the journal."),
    lastFlushAt: instantAnswer("Null before the first flush.").nullable(),
    lastFlushError: z.string().nullable(),
  })
  .openapi("LedgerStatus");

const environmentStatusSchema = z
  .object({
    id: z.string(),
    name: z.string().openapi({ example: "development" }),
    kind: z.string(),
    activeProviderKeys: count("Provider keys that are not revoked."),
    refusedProviderKeys: count("Of these, those that its policy shuts out: no call goes by them."),
    simulatorKeys: count("Of the others, those of the simulator, whose answers are made up."),
    keys: count(`Gateway keys that are not revoked; at most ${MAX_COUNTED_KEYS} are counted.`),
    answeredBy: z.enum(["provider", "simulator", "nobody"]).openapi({
      description:
        "Who answers its calls: a provider, some of them perhaps the simulator where it has keys of that as well; the built-in simulator, with keys of that alone, or in the kind `development` with no provider key; else nobody, calls are refused.",
    }),
  })
  .openapi("EnvironmentStatus");

const processSchema = z
  .object({
    id: z.string(),
    hostName: z.string().openapi({ example: "gateway-1.internal" }),
    pid: count("As its machine counts."),
    version: z.string(),
    startedAt: instantAnswer("By the database's clock."),
    heartbeatAt: instantAnswer("By the database's clock."),
    state: z.enum(["running", "silent"]).openapi({
      description: `Silent: no heartbeat for ${SILENT_AFTER_MS / 1000} seconds. It hangs, cannot reach the database, or is dead and not yet taken up.`,
    }),
    isAnswering: z.boolean().openapi({ description: "It gave this answer; `ledger` is its own." }),
  })
  .openapi("ProcessStatus");

const statusSchema = z
  .object({
    version: z.string().openapi({ example: "1.0.0" }),
    time: instantAnswer("This server's clock."),
    startedAt: instantAnswer("Null where no server runs.").nullable(),
    urls: z.array(z.string()),
    store: z.object({
      kind: z.string().openapi({ example: "sqlite" }),
      schema: count("The schema the database is at."),
      supportedSchema: count("The schema this version knows."),
    }),
    rootKey: z.object({
      id: z.string(),
      fingerprint: z.string().openapi({ description: "Tells the root key from others, no more." }),
    }),
    callsLastDay: count("Provider calls of the last 24 hours, from the full hour on."),
    ledger: ledgerSchema.nullable().openapi({ description: "Null where no server runs." }),
    processes: z.array(processSchema).openapi({ description: "Longest running first." }),
    environments: z.array(environmentStatusSchema),
    limitsNear: z.array(limitNearSchema).openapi({ description: LIMITS_NEAR_DESCRIPTION }),
    accounts: z.array(accountOwnershipSchema).openapi({
      description: "Accounts with keys in use: whose they are declared to be, and found to be.",
    }),
    rotationsDue: z.array(dueRotationSchema).openapi({ description: DUE_DESCRIPTION }),
    stolenSecrets: z.array(stolenSecretSchema).openapi({ description: STOLEN_DESCRIPTION }),
    stuckWork: z.array(stuckWorkSchema).openapi({ description: STUCK_DESCRIPTION }),
    openLeaks: z.array(leakSchema).openapi({
      description: `Keys and tokens that were reported as leaked and may still be used by whoever found them, newest first, each secret once; at most ${MAX_LEAKS_TOLD}.`,
    }),
    auditProblem: auditProblemSchema.nullable(),
  })
  .openapi("Status");

const getStatus = createRoute({
  method: "get",
  path: "/status",
  operationId: "getStatus",
  tags: ["status"],
  summary: "Versions, counts, the ledger's state and what each environment answers with",
  request: { query: closedQuery({}) },
  responses: { 200: jsonAnswer("The status.", statusSchema), ...errorAnswers() },
});

type StatusDeps = Pick<
  AdminDeps,
  "store" | "vault" | "clock" | "providers" | "serverInfo" | "ledgerStatus"
>;

export function registerStatus(router: AdminRouter, deps: StatusDeps): void {
  const { store, vault, clock, providers, serverInfo, ledgerStatus } = deps;

  router.openapi(getStatus, async (context) => {
    const nowMs = clock.nowMs();
    const names = new NameLookup(store);
    const [schema, lastDay, rows, running, limitsNear, { accounts, due }] = await Promise.all([
      store.currentSchema(),
      store.usage.summarize({ limit: 1 }, { groupBy: [], fromMs: nowMs - DAY_MS }),
      listAll((page) => store.environments.list(page)),
      store.processes.listRunning(),
      listLimitsNear(store, nowMs),
      findKeyStanding(store, nowMs),
    ]);
    const environments = await Promise.all(
      rows.map((row) => describeEnvironment({ store, providers }, row)),
    );
    const status: z.infer<typeof statusSchema> = {
      version: serverInfo.version,
      time: formatInstant(nowMs),
      startedAt: formatOptionalInstant(serverInfo.startedAtMs),
      urls: [...serverInfo.urls],
      store: { kind: store.kind, schema, supportedSchema: store.supportedSchema },
      rootKey: { id: vault.rootKey.id, fingerprint: vault.rootKey.fingerprint },
      callsLastDay: lastDay.rows[0]?.calls ?? 0,
      ledger: ledgerStatus ? formatLedger(ledgerStatus()) : null,
      processes: running
        .toSorted((a, b) => a.startedAtMs - b.startedAtMs)
        .map((one) => describeProcess(one, serverInfo.processId)),
      environments,
      limitsNear,
      accounts: formatOwnerships(accounts),
      rotationsDue: formatDue(due),
      stolenSecrets: await formatStolenSecrets(await listStolenSecrets(store), {
        names,
        providers,
      }),
      stuckWork: await formatStuckWork(await findStuckWork(store), names),
      openLeaks: await formatOpenLeaks(store, names, nowMs),
      auditProblem: (await store.inspectLog()) ?? null,
    };
    return context.json(status, 200);
  });
}

async function formatOpenLeaks(
  store: StatusDeps["store"],
  names: NameLookup,
  nowMs: number,
): Promise<z.infer<typeof leakSchema>[]> {
  const open = await listOpenLeaks(store, nowMs);
  return await Promise.all(
    open.slice(0, MAX_LEAKS_TOLD).map(({ leak, standing }) => formatLeak(names, leak, standing)),
  );
}

function describeProcess(
  process: ProcessRecord,
  answering: ProcessRecord["id"] | null,
): z.infer<typeof processSchema> {
  const { id, hostName, pid, version, startedAtMs, heartbeatAtMs, silentForMs } = process;
  return {
    id,
    hostName,
    pid,
    version,
    startedAt: formatInstant(startedAtMs),
    heartbeatAt: formatInstant(heartbeatAtMs),
    state: silentForMs < SILENT_AFTER_MS ? "running" : "silent",
    isAnswering: id === answering,
  };
}

async function describeEnvironment(
  deps: Pick<AdminDeps, "store" | "providers">,
  environment: EnvironmentRecord,
): Promise<z.infer<typeof environmentStatusSchema>> {
  const { id, name, kind } = environment;
  const [ways, keys] = await Promise.all([
    countKeyWays(deps, environment),
    deps.store.gatewayKeys.countUnrevoked(id, MAX_COUNTED_KEYS),
  ]);
  return {
    id,
    name,
    kind,
    activeProviderKeys: ways.active,
    refusedProviderKeys: ways.refused,
    simulatorKeys: ways.simulated,
    keys,
    answeredBy: answererOf(environment, ways),
  };
}

/** As the data plane has it: keys that are all shut out leave nobody, and no stand-in. */
function answererOf(
  { kind }: Pick<EnvironmentRecord, "kind">,
  { active, refused, simulated }: KeyWays,
): z.infer<typeof environmentStatusSchema>["answeredBy"] {
  if (active === 0) return hasSimulatorStandIn(kind) ? "simulator" : "nobody";
  const usable = active - refused;
  if (usable === 0) return "nobody";
  return simulated === usable ? "simulator" : "provider";
}

function formatLedger(status: LedgerStatus): z.infer<typeof ledgerSchema> {
  const { openIntents, pendingEvents, journalBytes, lastFlushAtMs, lastFlushError } = status;
  const lastFlushAt = formatOptionalInstant(lastFlushAtMs);
  return { openIntents, pendingEvents, journalBytes, lastFlushAt, lastFlushError };
}
