import { randomBytes } from "node:crypto";
import { defineCommand } from "../command.ts";
import { printLink } from "../print-link.ts";
import { withLocalVault } from "../with-local-vault.ts";

export const ownerLink = defineCommand({
  summary: "make a link that lets its first user in as an owner",
  details:
    "For the first owner, and for one who has lost every way in. It works once, for three days, and takes back every such link from before. Whoever has it becomes an owner.",
  examples: ["keyward owner-link", "keyward owner-link --json"],
  reach: "local",
  printsData: true,
  options: {},
  run: (context) =>
    withLocalVault(context, async ({ config, store, ids, nowMs, act }) => {
      const { output } = context;
      const { createOwnerLink } = await import("../../runtime/owner-link.ts");
      const { findOwnUrl } = await import("../../runtime/own-url.ts");
      const baseUrl = await findOwnUrl(config, store);
      const { link, expiresAtMs } = await act((audited) =>
        createOwnerLink({ store: audited, ids, nowMs, randomBytes }, baseUrl),
      );
      const made = { link, expiresAt: new Date(expiresAtMs).toISOString() };
      await output.data(made, () => printLink(made, output));
    }),
});
