import { type AdminClient, expectData } from "../../admin/client.ts";
import { GATEWAY_KEY_PREFIXES } from "../../core/keys/gateway-key.ts";
import { counted } from "../../core/text/counted.ts";
import { CliError } from "../cli-error.ts";
import type { CliIo } from "../cli-io.ts";
import { defineCommand } from "../command.ts";
import { formatOptional } from "../format-cells.ts";
import { given } from "../given.ts";
import type { Output } from "../output.ts";
import { parseChoice } from "../parse-choice.ts";
import { agree } from "../prompts.ts";

const PREFIXES = Object.values(GATEWAY_KEY_PREFIXES);
type KeyPrefix = (typeof PREFIXES)[number];

const FILTER_OPTIONS = {
  environment: { value: "name", description: "all keys of this environment" },
  project: { value: "name", description: "all keys of this project" },
  customer: { value: "id", description: "all keys bound to this customer" },
  keyPrefix: {
    value: "prefix",
    description: "all keys that begin so",
    choices: PREFIXES,
  },
  namePrefix: { value: "text", description: "all keys whose name begins so" },
} as const;

export const revoke = defineCommand({
  summary: "revoke gateway keys, for good",
  details:
    "One by its id, or all that match every option that is given. --dry-run says which those are, and revokes none. With very many it takes a while and says how far it is; it ends with an error where it could not revoke all of them.",
  examples: [
    "keyward keys revoke key_01JZ6Y4V2S8W3N5R7T9X0B1C2D",
    "keyward keys revoke key_01JZ6Y4V2S8W3N5R7T9X0B1C2D --yes --json",
    "keyward keys revoke --customer acme --dry-run",
    "keyward keys revoke --environment staging --name-prefix ci-",
    "keyward keys revoke --key-prefix kw_dev_ --yes",
  ],
  reach: "admin",
  printsData: true,
  arguments: { id: { description: "the gateway key's id", isOptional: true } },
  options: {
    ...FILTER_OPTIONS,
    dryRun: { description: "say which keys, and revoke none" },
    yes: { description: "do not ask" },
  },
  async run({ admin, arguments: { id }, io, options, output }) {
    const { environment, project, customer, keyPrefix, namePrefix, dryRun, yes } = options;
    const filter = {
      ...given({ environment, project, customer, namePrefix }),
      ...(keyPrefix === undefined
        ? {}
        : { keyPrefix: parseChoice(keyPrefix, isKeyPrefix, "--key-prefix") }),
    };
    const isFiltered = Object.keys(filter).length > 0;
    if (isFiltered === (id !== undefined)) {
      throw new CliError("name one key by its id, or several by an option", {
        isUsage: true,
        advice: "keyward keys revoke --help",
      });
    }
    const asking = { io, output, isAgreed: yes };
    if (id !== undefined) {
      if (dryRun) throw new CliError("--dry-run goes with an option", { isUsage: true });
      await revokeOne(await admin(), id, asking);
    } else await revokeMany(await admin(), { filter, isDryRun: dryRun }, asking);
  },
});

function isKeyPrefix(text: string): text is KeyPrefix {
  return (PREFIXES as readonly string[]).includes(text);
}

interface Asking {
  readonly io: CliIo;
  readonly output: Output;
  readonly isAgreed: boolean;
}

async function revokeOne(client: AdminClient, id: string, asking: Asking): Promise<void> {
  const { output } = asking;
  const params = { path: { id } };
  const key = expectData(await client.GET("/keys/{id}", { params }));
  const what = `${key.name} (${key.preview})`;
  await agree(asking, `Revoke ${what}?`);
  const revoked = expectData(await client.POST("/keys/{id}/revoke", { params }));
  await output.data(revoked, () => output.line(`revoked ${what}`));
}

interface Bulk {
  readonly filter: {
    readonly environment?: string;
    readonly project?: string;
    readonly customer?: string;
    readonly namePrefix?: string;
    readonly keyPrefix?: KeyPrefix;
  };
  readonly isDryRun: boolean;
}

async function revokeMany(
  client: AdminClient,
  { filter, isDryRun }: Bulk,
  asking: Asking,
): Promise<void> {
  const { output } = asking;
  const found = expectData(
    await client.POST("/keys/revoke", { body: { ...filter, dryRun: true } }),
  );
  if (isDryRun || found.count === 0) {
    await output.data(found, async () => {
      if (found.count === 0) output.note("no gateway key matches");
      else await showFound(output, found);
    });
    return;
  }
  if (!asking.isAgreed) await showFound(output, found);
  await agree(asking, `Revoke ${countKeys(found)}, for good?`);
  const revoked = await revokeUntilNone(client, filter, asking);
  await output.data(revoked, () => output.line(`revoked ${countKeys(revoked)}`));
}

/** A request revokes as many as it has the time for. Told along the way, for every one that it names is refused from then on. */
async function revokeUntilNone(
  client: AdminClient,
  filter: Bulk["filter"],
  { io, output }: Asking,
): Promise<Found> {
  let before: Found | undefined;
  for (;;) {
    const answer = expectData(await client.POST("/keys/revoke", { body: filter }));
    const count = answer.count + (before?.count ?? 0);
    const revoked = { ...answer, count, data: before?.data ?? answer.data };
    if (answer.isComplete) return revoked;
    const isStuck = answer.count === 0;
    if (isStuck || io.stopped.aborted) {
      const why = isStuck ? "the server revokes no more of them" : "stopped";
      throw new CliError(
        `${why}: ${counted(count, "key")} ${count === 1 ? "was" : "were"} revoked, and others that match are still valid`,
        {
          advice: "run the same command again; it goes on where this one ended",
        },
      );
    }
    output.note(`${counted(count, "key")} revoked so far`);
    before = revoked;
  }
}

type Found = {
  readonly count: number;
  readonly isComplete: boolean;
  readonly data: readonly {
    readonly name: string;
    readonly preview: string;
    readonly environment: string | null;
    readonly customer: string | null;
    readonly id: string;
  }[];
};

async function showFound(output: Output, found: Found): Promise<void> {
  await output.table(found.data, [
    { title: "name", value: (key) => key.name },
    { title: "key", value: (key) => key.preview },
    { title: "environment", value: (key) => formatOptional(key.environment) },
    { title: "customer", value: (key) => formatOptional(key.customer) },
    { title: "id", value: (key) => key.id },
  ]);
  const more = found.count - found.data.length;
  if (more > 0) output.note(`and ${more} more`);
  output.note(`${countKeys(found)} would be revoked`);
}

function countKeys({ count, isComplete }: Pick<Found, "count" | "isComplete">): string {
  const words = counted(count, "gateway key");
  return isComplete ? words : `more than ${words}`;
}
