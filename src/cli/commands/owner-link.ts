import { randomBytes } from "node:crypto";
import { defineCommand } from "../command.ts";
import { formatTime } from "../format-cells.ts";

export const ownerLink = defineCommand({
  summary: "make a link that lets its first user in as an owner",
  details:
    "For the first owner, and for one who has lost every way in. It works once, for three days, and takes back every such link from before. Whoever has it becomes an owner.",
  examples: ["keyward owner-link", "keyward owner-link --json"],
  reach: "local",
  printsData: true,
  options: {},
  async run({ config, io, output }) {
    const settings = await config();
    const { openLocalStore } = await import("../../runtime/local-store.ts");
    const { createOwnerLink } = await import("../../runtime/owner-link.ts");
    const { findOwnUrl } = await import("../../runtime/own-url.ts");
    const { IdFactory } = await import("../../core/ids/ids.ts");
    const { BY_LOCAL, openAudit } = await import("../../runtime/open-audit.ts");
    const { openVault } = await import("../../runtime/open-vault.ts");
    const store = await openLocalStore(settings);
    try {
      const nowMs = (): number => io.nowMs();
      const ids = new IdFactory({ nowMs, randomBytes });
      const vault = await openVault({ config: settings, store, ids });
      const audited = await openAudit({ store, vault, nowMs });
      const baseUrl = await findOwnUrl(settings, store);
      const { link, expiresAtMs } = await audited.as(BY_LOCAL, () =>
        createOwnerLink({ store: audited, ids, nowMs, randomBytes }, baseUrl),
      );
      const expiresAt = new Date(expiresAtMs).toISOString();
      await output.data({ link, expiresAt }, () => {
        output.line(link);
        output.note(`works once, until ${formatTime(expiresAt)}; it is not shown again`);
      });
    } finally {
      await store.close();
    }
  },
});
