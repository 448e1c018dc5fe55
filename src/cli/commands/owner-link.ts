import { randomBytes } from "node:crypto";
import { defineCommand } from "../command.ts";
import { printLink } from "../print-link.ts";
import { withLocalVault } from "../with-local-vault.ts";

export const ownerLink = defineCommand({
  summary: "make a link that lets its first user in as an owner",
  details:
    "For the first owner, and for a further one where no owner is left who could invite. It works once, for three days, and takes back every such link from before. Whoever has it becomes an owner, as a new member. An owner who has forgotten the password keeps the account with `keyward members reset-password` on this machine.",
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
      const owners = await store.access.members.countOwners();
      const note =
        "there is an owner already: for one who has forgotten the password, `keyward members reset-password <e-mail>`";
      await printLink(made, output, owners === 0 ? [] : [note]);
    }),
});
