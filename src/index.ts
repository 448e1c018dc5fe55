/** Keyward as a library: start a server in a process of your own, or talk to the admin API of one that runs. */
export { startKeyward } from "./app.ts";
export type { RunningKeyward, StartRequest } from "./app.ts";
export { AdminApiError, createAdminClient, expectData } from "./admin/client.ts";
export type { AdminClient, AdminClientOptions } from "./admin/client.ts";
export { loadConfig } from "./config/load-config.ts";
export type { Config } from "./config/config-schema.ts";
export type { EnvironmentOverview, StartReport } from "./runtime/start-report.ts";
export { StartError } from "./runtime/start-error.ts";
export { createPinoLog } from "./telemetry/log/pino-log.ts";
export type { Log } from "./telemetry/log.ts";
