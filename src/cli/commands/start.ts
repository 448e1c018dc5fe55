import type { RunningKeyward, StartRequest } from "../../app.ts";
import type { Config } from "../../config/config-schema.ts";
import type { Log } from "../../telemetry/log.ts";
import type { CliIo } from "../cli-io.ts";
import { defineCommand } from "../command.ts";
import type { Output } from "../output.ts";
import { flagsOf, secretsOf, settingOptions } from "../setting-options.ts";
import { printStartBanner } from "../start-banner.ts";
import { untilStopped } from "../until-stopped.ts";
import { readVersion } from "../version.ts";

export const start = defineCommand({
  summary: "start the gateway",
  details:
    "The first start makes the data directory, a root key, an admin token, the environments and a key for development, and prints the two lines that your app needs (where the output is kept as a log, it writes them into a file instead: --first-secrets). Each option is also an environment variable and a key of keyward.config.json; docs/config.md lists them. Control-C ends it: calls in flight are finished first.",
  examples: [
    "keyward start",
    "keyward start --port 8080 --host 0.0.0.0",
    "keyward start --processes 4",
    "KEYWARD_DATABASE_URL=postgres://db.internal/keyward keyward start --no-import",
  ],
  reach: "local",
  printsData: false,
  options: settingOptions(),
  async run({ config, io, options, output }) {
    const { isWorker } = await import("../../runtime/workers/run-worker.ts");
    if (isWorker()) return await runAsWorker(io);
    const settings = await config(flagsOf(options));
    const log = await createLog(settings);
    if (settings.processes > 1) return await runAsSupervisor(settings, { io, log, output });
    // Asked for before anything is opened: what is asked to stop while it starts is stopped properly as well.
    const { stopped } = io;
    const keyward = await startHere(settings, { io, log });
    printStartBanner(keyward, settings, { io, output });
    if (io.isInteractive) output.note("Control-C stops it");
    await untilStopped(stopped);
    output.note(STOPPING);
    await keyward.stop();
  },
});

const STOPPING = "stopping; again Control-C to end at once";

async function startHere(
  config: Config,
  { io, log, ...more }: { readonly io: CliIo; readonly log: Log } & WorkerParts,
): Promise<RunningKeyward> {
  const { tuneV8 } = await import("../../runtime/tune-v8.ts");
  tuneV8();
  const { startKeyward } = await import("../../app.ts");
  const { cwd, env } = io;
  return await startKeyward({ config, cwd, env, version: readVersion(), log, ...more });
}

type WorkerParts = Pick<StartRequest, "worker">;

async function createLog(
  config: Config,
  fields?: Readonly<Record<string, string | number>>,
): Promise<Log> {
  const { createPinoLog } = await import("../../telemetry/log/pino-log.ts");
  const secrets = secretsOf(config);
  return createPinoLog({ level: config.logLevel, secrets, ...(fields && { fields }) });
}

async function runAsSupervisor(
  settings: Config,
  { io, log, output }: { readonly io: CliIo; readonly log: Log; readonly output: Output },
): Promise<void> {
  const { stopped } = io;
  const { startSupervisor } = await import("../../runtime/workers/start-supervisor.ts");
  const supervisor = await startSupervisor({
    config: settings,
    log,
    onServing: (report) => {
      printStartBanner(report, settings, { io, output });
      if (io.isInteractive) output.note("Control-C stops it");
    },
  });
  await Promise.race([untilStopped(stopped), supervisor.ended]);
  output.note(STOPPING);
  await supervisor.stop();
}

async function runAsWorker(io: CliIo): Promise<void> {
  const { runWorker } = await import("../../runtime/workers/run-worker.ts");
  await runWorker({
    createLog: ({ config, number }) => createLog(config, { worker: number }),
    start: ({ config, port, isFirst }, { log, peers }) =>
      startHere(config, { io, log, worker: { port, peers, isFirst } }),
  });
}
