import { defineCommand } from "../command.ts";
import { flagsOf, secretsOf, settingOptions } from "../setting-options.ts";
import { printStartBanner } from "../start-banner.ts";
import { untilStopped } from "../until-stopped.ts";
import { readVersion } from "../version.ts";

export const start = defineCommand({
  summary: "start the gateway",
  details:
    "The first start makes the data directory, a root key, an admin token, the environments and a key for development, and prints the two lines that your app needs. Each option is also an environment variable and a key of keyward.config.json; docs/config.md lists them. Control-C ends it: calls in flight are finished first.",
  examples: [
    "keyward start",
    "keyward start --port 8080 --host 0.0.0.0",
    "KEYWARD_DATABASE_URL=postgres://db.internal/keyward keyward start --no-import",
  ],
  reach: "local",
  printsData: false,
  options: settingOptions(),
  async run({ config, io, options, output }) {
    const settings = await config(flagsOf(options));
    const { startKeyward } = await import("../../app.ts");
    const { createPinoLog } = await import("../../telemetry/log/pino-log.ts");
    // Asked for before anything is opened: what is asked to stop while it starts is stopped properly as well.
    const { stopped } = io;
    const keyward = await startKeyward({
      config: settings,
      cwd: io.cwd,
      env: io.env,
      version: readVersion(),
      log: createPinoLog({ level: settings.logLevel, secrets: secretsOf(settings) }),
    });
    printStartBanner(keyward, settings, output);
    if (io.isInteractive) output.note("Control-C stops it");
    await untilStopped(stopped);
    output.note("stopping; again Control-C to end at once");
    await keyward.stop();
  },
});
