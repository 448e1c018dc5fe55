import { randomBytes } from "node:crypto";
import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { confirm } from "../prompts.ts";

const rotate = defineCommand({
  summary: "make a new admin token and revoke all others",
  details:
    "For a token that was lost or has leaked. The new one is shown this once; a token set as KEYWARD_ADMIN_TOKEN of the server is not touched.",
  examples: ["keyward admin-token rotate", "keyward admin-token rotate --yes --json"],
  reach: "local",
  printsData: true,
  options: { yes: { description: "do not ask" } },
  async run({ config, io, options, output }) {
    const settings = await config();
    const { openLocalStore } = await import("../../runtime/local-store.ts");
    const { rotateAdminToken } = await import("../../runtime/rotate-admin-token.ts");
    const { IdFactory } = await import("../../core/ids/ids.ts");
    const { BY_LOCAL, openAudit } = await import("../../runtime/open-audit.ts");
    const { openVault } = await import("../../runtime/open-vault.ts");
    const store = await openLocalStore(settings);
    try {
      const question = "Revoke every admin token there is?";
      if (!options.yes && !(await confirm(io, question, "add --yes"))) {
        throw new CliError("not confirmed; nothing was changed");
      }
      const nowMs = (): number => io.nowMs();
      const ids = new IdFactory({ nowMs, randomBytes });
      const vault = await openVault({ config: settings, store, ids });
      const audited = await openAudit({ store, vault, nowMs });
      const rotation = await audited.as(BY_LOCAL, () =>
        rotateAdminToken({ store: audited, ids, nowMs, randomBytes }),
      );
      await output.data(rotation, () => {
        output.line(rotation.token);
        output.note(`revoked ${rotation.revoked}; the new one is not shown again`);
      });
    } finally {
      await store.close();
    }
  },
});

export const adminToken = { rotate };
