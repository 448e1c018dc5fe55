import type { Config } from "../../config/config-schema.ts";
import { counted } from "../../core/text/counted.ts";
import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import type { Check } from "../doctor/check.ts";
import type { Output } from "../output.ts";
import { readVersion } from "../version.ts";

const COLORS = { ok: "green", warn: "yellow", fail: "red" } as const;

export const doctor = defineCommand({
  summary: "check that everything is as it should be",
  details:
    "Looks at this machine and changes nothing. Exits with 1 when a check fails; warnings alone are no failure.",
  examples: ["keyward doctor", "keyward doctor --data-dir /var/lib/keyward --json"],
  reach: "local",
  printsData: true,
  async run({ config, io, output }) {
    const settings = await config();
    const machine = await import("../doctor/check-machine.ts");
    const installation = await import("../doctor/check-installation.ts");
    const appKey = machine.findAppKey(io, settings);
    let holdsAppKey: boolean | undefined;
    const checks: Check[] = [
      machine.checkNode(io.nodeVersion),
      await machine.checkPort(settings),
      await machine.checkDataDirectory(settings),
    ];
    if (checks.at(-1)?.status !== "fail") {
      checks.push(await machine.checkRootKeyFile(settings));
      checks.push(await machine.checkJournals(settings));
      const opened = await installation.checkStoreAndVault(settings, appKey);
      checks.push(...opened.checks);
      ({ holdsAppKey } = opened);
      // What is in the vault's database is worth a look only where both can be opened.
      if (checks.slice(-1).every(({ name, status }) => name === "root key" && status === "ok")) {
        checks.push(...(await checkContents(settings, output)));
      }
    }
    if (settings.oidcIssuer !== null) {
      const { checkIdentityProvider } = await import("../doctor/check-identity-provider.ts");
      checks.push(...(await checkIdentityProvider(settings)));
    }
    checks.push(machine.checkAppKey(appKey, holdsAppKey));
    const failures = checks.filter(({ status }) => status === "fail").length;
    await output.data({ isHealthy: failures === 0, checks }, () => {
      for (const { name, status, message, remedy } of checks) {
        output.marked(status.padEnd(4), COLORS[status], `${name}: ${message}`);
        if (remedy !== null) output.line(`       next: ${remedy}`);
      }
    });
    if (failures > 0) throw new CliError(`${counted(failures, "check")} failed`);
  },
});

/** What the admin API says of the installation; asked here, whatever server KEYWARD_URL may name. */
async function checkContents(settings: Config, output: Output): Promise<readonly Check[]> {
  const { openLocalAdmin } = await import("../../runtime/local-admin.ts");
  const { checkAuditLog, checkEnvironments, checkKeys, checkPolicies } =
    await import("../doctor/check-installation.ts");
  const local = await openLocalAdmin(settings, {
    version: readVersion(),
    onFault: (error) => output.warn(String(error)),
  });
  try {
    return [
      ...(await checkEnvironments(local.client)),
      ...(await checkKeys(local.client)),
      ...(await checkPolicies(local.client)),
      await checkAuditLog(local.client),
    ];
  } finally {
    await local.close();
  }
}
