import { expectData } from "../../admin/client.ts";
import { simulatorProvider } from "../../providers/simulator/simulator-provider.ts";
import { createProviders } from "../../runtime/providers.ts";
import { ACCOUNT_KINDS, type AccountKind } from "../../store/records.ts";
import { defineCommand } from "../command.ts";
import { formatOptional, formatTime } from "../format-cells.ts";
import { given } from "../given.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";
import { parseChoice } from "../parse-choice.ts";
import { accountLimits } from "./account-limits.ts";
import { removeAdminKey, setAdminKey, showAdminKey } from "./provider-admin-keys.ts";

const list = defineCommand({
  summary: "list provider accounts, newest first",
  examples: ["keyward provider-accounts list"],
  reach: "admin",
  printsData: true,
  options: PAGE_OPTIONS,
  run: (context) =>
    printPage(context, {
      what: "provider accounts",
      fetch: (client, query) => client.GET("/provider-accounts", { params: { query } }),
      columns: [
        { title: "name", value: (account) => account.name },
        { title: "provider", value: (account) => account.provider },
        { title: "kind", value: (account) => account.kind },
        { title: "base URL", value: (account) => formatOptional(account.baseUrl) },
        { title: "created", value: (account) => formatTime(account.createdAt) },
        { title: "id", value: (account) => account.id },
      ],
    }),
});

const create = defineCommand({
  summary: "add an account at a provider",
  details:
    "Rate limits belong to the account, not to its keys. Keys of a personal account are refused in production. `keyward providers list` shows the providers. A host in a private network must be named in the server's setting allowedPrivateHosts.",
  examples: [
    "keyward provider-accounts create --name openai-main --provider openai --kind organization",
    "keyward provider-accounts create --name azure-eu --provider azure --kind organization --base-url https://my-resource.openai.azure.com",
    "keyward provider-accounts create --name azure-dated --provider azure --kind organization --base-url https://my-resource.openai.azure.com --api-version 2024-10-21",
    "keyward provider-accounts create --name claude --provider anthropic --kind organization",
    "keyward provider-accounts create --name groq --provider groq --kind organization",
    "keyward provider-accounts create --name mistral --provider mistral --kind organization",
    "keyward provider-accounts create --name gemini --provider gemini --kind organization",
    "keyward provider-accounts create --name openrouter --provider openrouter --kind organization",
    "keyward provider-accounts create --name local --provider ollama --kind organization",
    "keyward provider-accounts create --name gpu-box --provider vllm --kind organization --base-url http://vllm.internal:8000/v1",
    "keyward provider-accounts create --name other --provider openai-compatible --kind organization --base-url https://llm.example.com/v1 --priced-as groq",
  ],
  reach: "admin",
  printsData: true,
  options: {
    name: { value: "name", description: "unique name", isRequired: true },
    provider: {
      value: "provider",
      description: "the provider",
      choices: createProviders(simulatorProvider)
        .list()
        .map(({ name }) => name),
      default: "openai",
    },
    kind: {
      value: "kind",
      description: "whose account it is",
      choices: ACCOUNT_KINDS,
      isRequired: true,
    },
    baseUrl: { value: "url", description: "with the version path; else the provider's own" },
    organizationId: { value: "id", description: "organization at the provider" },
    projectId: { value: "id", description: "project at the provider" },
    apiVersion: {
      value: "version",
      description: "Azure OpenAI: call the dated API in this version; else its current one",
    },
    pricedAs: {
      value: "provider",
      description: "whose prices hold, where the provider and the base URL do not tell",
    },
  },
  async run({ admin, options, output }) {
    const { name, provider, baseUrl, organizationId, projectId, apiVersion, pricedAs } = options;
    const body = {
      name,
      provider,
      kind: parseChoice(options.kind, isAccountKind, "--kind"),
      ...given({ baseUrl, organizationId, projectId, apiVersion, pricedAs }),
    };
    const client = await admin();
    const account = expectData(await client.POST("/provider-accounts", { body }));
    await output.data(account, () => {
      output.line(`created provider account ${account.name} (${account.id})`);
      output.note(`next: keyward provider-keys add --account ${account.name} --environment <name>`);
    });
  },
});

function isAccountKind(word: string): word is AccountKind {
  return (ACCOUNT_KINDS as readonly string[]).includes(word);
}

export const providerAccounts = {
  list,
  create,
  limits: accountLimits,
  "set-admin-key": setAdminKey,
  "show-admin-key": showAdminKey,
  "remove-admin-key": removeAdminKey,
};
