import type { components } from "../../admin/api-types.ts";
import { type AdminClient, expectData } from "../../admin/client.ts";
import { simulatorProvider } from "../../providers/simulator/simulator-provider.ts";
import { createProviders } from "../../runtime/providers.ts";
import { CliError } from "../cli-error.ts";
import type { CliIo } from "../cli-io.ts";
import { defineCommand } from "../command.ts";
import { describeProvision, followProvision, NO_SPEND_LIMIT } from "../follow-provision.ts";
import { formatUsd } from "../format-cells.ts";
import { given } from "../given.ts";
import { collectPages } from "../list-pages.ts";
import type { Output } from "../output.ts";
import { readSecret, SECRET_OPTIONS, type SecretOptions } from "../read-secret.ts";

type Account = components["schemas"]["ProviderAccount"];
type Plan = components["schemas"]["ProvisionPlan"];

const NOT_FOUND = 404;

export const provision = defineCommand({
  summary: "have a provider make a project and a key for an environment",
  details:
    "Makes a project and a service account with the account's admin key, holds the project to what the environment's hard budgets, policy and limits come to, tries the key with a real call and puts it into the vault. An account or an admin key that is not there yet is added on the way. It can be broken off anywhere: it goes on in the server, and nothing is made twice. What the provider refuses to set is told with what to do by hand.",
  examples: [
    "keyward provision openai --environment production --dry-run",
    "keyward provision openai --environment production",
    "keyward provision openai --environment production --monthly-limit-usd 500 --account openai-main",
    "keyward provision openai --environment production --secret-stdin < admin-key.txt",
  ],
  reach: "admin",
  printsData: true,
  arguments: {
    provider: {
      description: "the provider",
      choices: createProviders(simulatorProvider)
        .list()
        .filter((one) => one.administer !== undefined)
        .map(({ name }) => name),
    },
  },
  options: {
    environment: { value: "name", description: "the environment", isRequired: true },
    account: {
      value: "name",
      description:
        "the organization's account; else the one there is, or the one with an admin key, or one that is called as the provider",
    },
    keyName: { value: "name", description: "of the provider key", default: "main" },
    monthlyLimitUsd: {
      value: "usd",
      description: "the project's spend limit; else what the environment's hard budgets come to",
    },
    another: { description: "also where the environment has a key of the account already" },
    dryRun: { description: "show what would be made, and make nothing" },
    ...SECRET_OPTIONS,
  },
  async run({ admin, arguments: { provider }, io, options, output }) {
    const { environment, keyName, monthlyLimitUsd, another, dryRun } = options;
    const client = await admin();
    const request = { environment, keyName, another, ...given({ monthlyLimitUsd }) };
    const found = await findAccount(client, provider, options.account);
    if (dryRun) {
      const account = given({ account: found.account?.name });
      const body = { ...request, ...account };
      const plan = expectData(await client.POST("/provisions/plan", { body }));
      await output.data(plan, () => describePlan(plan, found.name, output));
      if (plan.conflicts.length > 0) throw new CliError("it would be refused as things are");
      return;
    }
    // Asked before anything is added: a mistake in the request should leave nothing behind.
    if (found.account === undefined) await expectNoConflict(client, request);
    const secret = await readAdminKey(client, found, { io, options });
    const account = found.account ?? (await addAccount(client, provider, found.name, output));
    if (secret !== undefined) await setAdminKey(client, account, { secret, output });
    const body = { ...request, account: account.name };
    const begun = expectData(await client.POST("/provisions", { body }));
    const followed = await followProvision(client, begun, { output, stopped: io.stopped });
    await output.data(followed, () => describeProvision(followed, output));
    if (followed.state === "failed" || followed.state === "cancelled") {
      throw new CliError(`nothing was added to ${environment}`);
    }
  },
});

/** The account that is meant, by `name` or because there is no other; without one, how it will be called. */
async function findAccount(
  client: AdminClient,
  provider: string,
  typed: string | undefined,
): Promise<{ readonly name: string; readonly account: Account | undefined }> {
  if (typed !== undefined) {
    const answer = await client.GET("/provider-accounts/{id}", { params: { path: { id: typed } } });
    if (answer.response.status === NOT_FOUND) return { name: typed, account: undefined };
    return { name: typed, account: expectData(answer) };
  }
  const accounts = await collectPages((page) =>
    client.GET("/provider-accounts", { params: { query: page } }),
  );
  const own = accounts.filter(
    (one) => one.provider === provider && one.kind === "organization" && one.projectId === null,
  );
  if (own.length <= 1) return { name: own[0]?.name ?? provider, account: own[0] };
  const managed: Account[] = [];
  for (const one of own) if (await hasAdminKey(client, one)) managed.push(one);
  const [only, ...others] = managed;
  if (only !== undefined && others.length === 0) return { name: only.name, account: only };
  const among = only === undefined ? own : managed;
  const names = among.map(({ name }) => name).join(", ");
  const which = only === undefined ? ", none of them with an admin key" : " with an admin key";
  throw new CliError(`there are several accounts of ${provider}${which}: ${names}`, {
    isUsage: true,
    advice: `name one with --account: ${among.map(({ name }) => `--account ${name}`).join(" or ")}`,
  });
}

async function hasAdminKey(client: AdminClient, { id }: Account): Promise<boolean> {
  const params = { path: { id } };
  const answer = await client.GET("/provider-accounts/{id}/admin-key", { params });
  if (answer.response.status === NOT_FOUND) return false;
  expectData(answer);
  return true;
}

type Request = components["schemas"]["ProvisionPlanInput"];

async function expectNoConflict(client: AdminClient, body: Request): Promise<void> {
  const { conflicts } = expectData(await client.POST("/provisions/plan", { body }));
  if (conflicts[0] !== undefined) throw new CliError(conflicts[0]);
}

async function addAccount(
  client: AdminClient,
  provider: string,
  name: string,
  output: Output,
): Promise<Account> {
  const body = { name, provider, kind: "organization" } as const;
  const account = expectData(await client.POST("/provider-accounts", { body }));
  output.note(`added the provider account ${account.name} (${account.id})`);
  return account;
}

/** The admin key that was given, or one that is asked for where the account has none; undefined: it has one. */
async function readAdminKey(
  client: AdminClient,
  { name, account }: { readonly name: string; readonly account: Account | undefined },
  { io, options }: { readonly io: CliIo; readonly options: SecretOptions },
): Promise<string | undefined> {
  const isGiven = options.secretStdin || options.secretEnv !== undefined;
  if (!isGiven && account !== undefined && (await hasAdminKey(client, account))) return undefined;
  return await readSecret(io, options, `Admin key of ${name}: `);
}

async function setAdminKey(
  client: AdminClient,
  { id, name }: Account,
  { secret, output }: { readonly secret: string; readonly output: Output },
): Promise<void> {
  const params = { path: { id } };
  const set = expectData(
    await client.PUT("/provider-accounts/{id}/admin-key", { params, body: { secret } }),
  );
  output.note(`${name} is managed with ${set.preview}`);
}

function describePlan(plan: Plan, accountName: string, output: Output): void {
  const { limits } = plan;
  const budget = limits.budgetId === null ? "as named" : `from budget ${limits.budgetId}`;
  output.facts([
    ["environment", plan.environment],
    ["account", plan.account ?? `${accountName}, which would be added with the admin key`],
    ["project", plan.projectName],
    ["provider key", plan.keyName],
    [
      "spend limit",
      limits.monthlyLimitUsd === null
        ? "none"
        : `${formatUsd(limits.monthlyLimitUsd)} a month, ${budget}`,
    ],
    ["models", limits.models?.join(", ") ?? "all"],
    ["requests", describeRate(limits.requestsPerMinute)],
    ["tokens", describeRate(limits.tokensPerMinute)],
  ]);
  if (limits.monthlyLimitUsd === null) output.warn(NO_SPEND_LIMIT);
  for (const conflict of plan.conflicts) output.warn(conflict);
}

function describeRate(amount: number | null): string {
  return amount === null ? "the provider's own limit" : `${amount} a minute, of each model`;
}
