import { randomBytes } from "node:crypto";
import { defineCommand } from "../command.ts";
import { agree } from "../prompts.ts";
import { withLocalVault } from "../with-local-vault.ts";

const rotate = defineCommand({
  summary: "make a new admin token and revoke all others",
  details:
    "For a token that was lost or has leaked. The new one is shown this once; a token set as KEYWARD_ADMIN_TOKEN of the server is not touched.",
  examples: ["keyward admin-token rotate", "keyward admin-token rotate --yes --json"],
  reach: "local",
  printsData: true,
  options: { yes: { description: "do not ask" } },
  run: (context) =>
    withLocalVault(context, async ({ ids, nowMs, act }) => {
      const { io, options, output } = context;
      await agree({ io, isAgreed: options.yes }, "Revoke every admin token there is?");
      const { rotateAdminToken } = await import("../../runtime/rotate-admin-token.ts");
      const rotation = await act((audited) =>
        rotateAdminToken({ store: audited, ids, nowMs, randomBytes }),
      );
      await output.data(rotation, () => {
        output.line(rotation.token);
        output.note(`revoked ${rotation.revoked}; the new one is not shown again`);
      });
    }),
});

export const adminToken = { rotate };
