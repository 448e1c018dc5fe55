import type { AdminClient } from "../../admin/client.ts";
import { expectData } from "../../admin/client.ts";
import { defineCommand } from "../command.ts";
import { formatTime } from "../format-cells.ts";
import { agree } from "../prompts.ts";
import { readSecret, SECRET_OPTIONS } from "../read-secret.ts";

const ACCOUNT_ARGUMENT = { account: { description: "the provider account's name or id" } } as const;

export const setAdminKey = defineCommand({
  summary: "set the admin key that an account's keys are managed with",
  details:
    "An admin key of the organization (at OpenAI: Settings, Organization, Admin keys). It is tried with a call that changes nothing, then sealed in the vault; nobody can read it back.",
  examples: [
    "keyward provider-accounts set-admin-key openai-main",
    "keyward provider-accounts set-admin-key openai-main --secret-stdin < admin-key.txt",
  ],
  reach: "admin",
  printsData: true,
  arguments: ACCOUNT_ARGUMENT,
  options: SECRET_OPTIONS,
  async run({ admin, arguments: { account: name }, io, options, output }) {
    const client = await admin();
    const params = { path: { id: name } };
    const account = expectData(await client.GET("/provider-accounts/{id}", { params }));
    const secret = await readSecret(io, options, `Admin key of ${account.name}: `);
    const set = expectData(
      await client.PUT("/provider-accounts/{id}/admin-key", { params, body: { secret } }),
    );
    await output.data(set, () => {
      output.line(`${account.name} is managed with ${set.preview}`);
      output.note(`next: keyward provider-keys audit ${account.name}`);
    });
  },
});

export const showAdminKey = defineCommand({
  summary: "say which admin key an account has, never what it is",
  examples: ["keyward provider-accounts show-admin-key openai-main"],
  reach: "admin",
  printsData: true,
  arguments: ACCOUNT_ARGUMENT,
  async run({ admin, arguments: { account: name }, output }) {
    const client = await admin();
    const params = { path: { id: name } };
    const key = expectData(await client.GET("/provider-accounts/{id}/admin-key", { params }));
    await output.data(key, () => {
      output.line(`${key.preview}, set by ${key.createdBy} at ${formatTime(key.createdAt)}`);
    });
  },
});

export const removeAdminKey = defineCommand({
  summary: "forget an account's admin key",
  details: "At the provider it stays valid until it is deleted there.",
  examples: ["keyward provider-accounts remove-admin-key openai-main --yes"],
  reach: "admin",
  printsData: true,
  arguments: ACCOUNT_ARGUMENT,
  options: { yes: { description: "do not ask" } },
  async run({ admin, arguments: { account: name }, io, options, output }) {
    const client: AdminClient = await admin();
    await agree({ io, isAgreed: options.yes }, `Forget the admin key of ${name}?`);
    const params = { path: { id: name } };
    const key = expectData(await client.DELETE("/provider-accounts/{id}/admin-key", { params }));
    await output.data(key, () => {
      output.line(`forgot ${key.preview} of ${key.account}`);
      output.note("next: delete it at the provider");
    });
  },
});
