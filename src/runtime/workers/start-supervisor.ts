import { fileURLToPath } from "node:url";
import type { Config } from "../../config/config-schema.ts";
import { ownFile } from "../../files/own-file.ts";
import type { Log } from "../../telemetry/log.ts";
import { bindPort, canKernelShare } from "../bind-port.ts";
import { connectionLimits, readMaxOpenFiles } from "../connection-limits.ts";
import type { StartReport } from "../start-report.ts";
import { supervise, type Supervisor } from "./supervisor.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * `keyward start` in `config.processes` workers. Throws StartError, with nothing made, when the port cannot be had; what
 * else is in the way is found out by the first worker, see `Supervisor.ended`.
 */
export async function startSupervisor(request: {
  readonly config: Config;
  readonly log: Log;
  readonly onServing: (report: StartReport) => void;
}): Promise<Supervisor> {
  const { config, log, onServing } = request;
  const port = await findPort(config);
  const sharing = (await canKernelShare(config.host)) ? "kernel" : "supervisor";
  const supervisor = supervise({
    program: fileURLToPath(ownFile("cli/main")),
    programArguments: ["start"],
    workers: config.processes,
    order: { config: { ...config, port } },
    sharing,
    log,
    monotonicMs: () => performance.now(),
    onServing,
  });
  return {
    ended: supervisor.ended,
    kill: () => supervisor.kill(),
    stop: async () => {
      endAtOnceWith(supervisor);
      await supervisor.stop();
    },
  };
}

/**
 * The port that all workers will listen on, held for a moment and alone: sockets that share a port would not notice
 * another Keyward on it.
 */
async function findPort(config: Config): Promise<number> {
  const bound = await bindPort(config, connectionLimits(config, readMaxOpenFiles()));
  bound.closeAllConnections();
  await bound.close();
  return bound.port;
}

/** A second signal ends this process as if it caught none, and takes the workers along. */
function endAtOnceWith(supervisor: Supervisor): void {
  for (const name of SIGNALS) {
    process.once(name, () => {
      supervisor.kill();
      for (const each of SIGNALS) process.removeAllListeners(each);
      process.kill(process.pid, name);
    });
  }
}
