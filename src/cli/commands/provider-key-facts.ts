import type { components } from "../../admin/api-types.ts";
import { expectData } from "../../admin/client.ts";
import { counted } from "../../core/text/counted.ts";
import { defineCommand } from "../command.ts";
import { formatCount, formatOptional, formatOptionalTime, formatTime } from "../format-cells.ts";
import { formatHealth } from "../format-health.ts";
import { parseWhen } from "../parse-when.ts";

type ProviderKey = components["schemas"]["ProviderKey"];

/** `service account`, `person (!)` where the account says otherwise, `unknown`. */
export function formatOwner({
  ownership,
  ownershipConflict,
}: Pick<ProviderKey, "ownership" | "ownershipConflict">): string {
  const words = { user: "person", service_account: "service account", unknown: "unknown" } as const;
  return `${words[ownership.owner]}${ownershipConflict ? " (!)" : ""}`;
}

export const showProviderKey = defineCommand({
  summary: "show a provider key: whose it is, how old, when it is rotated",
  examples: [
    "keyward provider-keys show pky_01JZ6Y4V2S8W3N5R7T9X0B1C2D",
    "keyward provider-keys show pky_01JZ6Y4V2S8W3N5R7T9X0B1C2D --json",
  ],
  reach: "admin",
  printsData: true,
  arguments: { id: { description: "the provider key's id" } },
  async run({ admin, arguments: { id }, output }) {
    const client = await admin();
    const params = { path: { id } };
    const key = expectData(await client.GET("/provider-keys/{id}", { params }));
    await output.data(key, () => {
      const { ownership } = key;
      const because = ownership.detail === null ? "nothing tells" : ownership.detail;
      output.facts([
        ["name", key.name],
        ["environment", formatOptional(key.environment)],
        ["account", formatOptional(key.account)],
        ["secret", `${key.preview}, version ${key.version}, since ${formatTime(key.secretSince)}`],
        ["owner", `${formatOwner(key)}: ${because}`],
        ["seen", formatOptionalTime(ownership.seenAt)],
        [
          "rotated",
          key.rotateEveryDays === null
            ? "no schedule"
            : `every ${counted(key.rotateEveryDays, "day")}, next ${formatOptionalTime(key.rotationDueAt)}`,
        ],
        ["rotation", formatOptional(key.rotationId)],
        ["status", key.status],
        ["health", formatHealth(key.health)],
        ["weight", String(key.weight)],
        ["created", formatTime(key.createdAt)],
        ["id", key.id],
      ]);
      if (key.ownershipConflict) {
        output.warn(
          `the account ${key.account ?? key.accountId} is of another kind than the secret's owner`,
        );
      }
    });
  },
});

export const listProviderKeyUsers = defineCommand({
  summary: "list who has called with a provider key, the last first",
  details: "Gateway keys and customers, with their first and last call and how many there were.",
  examples: [
    "keyward provider-keys users pky_01JZ6Y4V2S8W3N5R7T9X0B1C2D",
    "keyward provider-keys users pky_01JZ6Y4V2S8W3N5R7T9X0B1C2D --since 90d --json",
  ],
  reach: "admin",
  printsData: true,
  arguments: { id: { description: "the provider key's id" } },
  options: {
    since: { value: "time", description: "calls before it are not counted", default: "30d" },
  },
  async run({ admin, arguments: { id }, io, options, output }) {
    const client = await admin();
    const since = parseWhen(options.since, {
      nowMs: io.nowMs(),
      flag: "--since",
      direction: "ago",
    });
    const users = expectData(
      await client.GET("/provider-keys/{id}/users", { params: { path: { id }, query: { since } } }),
    );
    await output.data(users, async () => {
      if (users.data.length === 0) {
        output.line(`nobody has called with it since ${formatTime(users.since)}`);
        return;
      }
      await output.table(users.data, [
        { title: "gateway key", value: (user) => user.gatewayKey ?? user.gatewayKeyId },
        { title: "customer", value: (user) => formatOptional(user.customer) },
        { title: "calls", value: (user) => formatCount(user.calls), isNumber: true },
        { title: "first", value: (user) => formatTime(user.firstUsedAt) },
        { title: "last", value: (user) => formatTime(user.lastUsedAt) },
      ]);
    });
  },
});
