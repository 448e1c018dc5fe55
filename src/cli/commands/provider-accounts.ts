import { expectData } from "../../admin/client.ts";
import { ACCOUNT_KINDS, type AccountKind } from "../../store/records.ts";
import { defineCommand } from "../command.ts";
import { formatOptional, formatTime } from "../format-cells.ts";
import { given } from "../given.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";
import { parseChoice } from "../parse-choice.ts";

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
    "Rate limits belong to the account, not to its keys. Keys of a personal account are refused in production.",
  examples: [
    "keyward provider-accounts create --name openai-main --provider openai --kind organization",
    "keyward provider-accounts create --name local --provider openai-compatible --kind organization --base-url http://127.0.0.1:11434/v1",
  ],
  reach: "admin",
  printsData: true,
  options: {
    name: { value: "name", description: "unique name", isRequired: true },
    provider: {
      value: "provider",
      description: "the provider",
      choices: ["openai", "openai-compatible", "simulator"],
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
  },
  async run({ admin, options, output }) {
    const { name, provider, baseUrl, organizationId, projectId } = options;
    const body = {
      name,
      provider,
      kind: parseChoice(options.kind, isAccountKind, "--kind"),
      ...given({ baseUrl, organizationId, projectId }),
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

export const providerAccounts = { list, create };
