import { expectData } from "../../admin/client.ts";
import { defineCommand } from "../command.ts";
import { formatOptional, formatOptionalTime, formatTime } from "../format-cells.ts";

export const auditProviderKeys = defineCommand({
  summary: "list the keys that a provider has and Keyward does not know",
  details:
    "Asks the provider with the account's admin key. What is listed calls past Keyward: nobody counts what it costs, and nobody here can replace it.",
  examples: [
    "keyward provider-keys audit openai-main",
    "keyward provider-keys audit openai-main --json",
  ],
  reach: "admin",
  printsData: true,
  arguments: { account: { description: "the provider account's name or id" } },
  async run({ admin, arguments: { account: name }, output }) {
    const client = await admin();
    const params = { path: { id: name } };
    const list = expectData(await client.GET("/provider-accounts/{id}/unknown-keys", { params }));
    await output.data(list, async () => {
      if (list.data.length === 0) {
        output.line(`every key that ${name} has at its provider is known here`);
        return;
      }
      await output.table(list.data, [
        { title: "name", value: (key) => key.name },
        { title: "secret", value: (key) => key.preview },
        { title: "project", value: (key) => key.project },
        { title: "owner", value: (key) => key.owner.replace("_", " ") },
        { title: "whose", value: (key) => formatOptional(key.ownerName) },
        { title: "made", value: (key) => formatTime(key.createdAt) },
        { title: "last used", value: (key) => formatOptionalTime(key.lastUsedAt) },
        { title: "id", value: (key) => key.providerKeyId },
      ]);
    });
  },
});
