import type { components } from "../../admin/api-types.ts";
import { expectData } from "../../admin/client.ts";
import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { formatCount, formatOptional } from "../format-cells.ts";
import { given } from "../given.ts";
import { parseCount } from "../parse-count.ts";
import { agree } from "../prompts.ts";
import { routingTest } from "./routing-test.ts";

type Rule = components["schemas"]["RoutingRule"];

const ID = { id: { description: "the routing rule's id" } } as const;

const TARGET_OPTIONS = {
  account: { value: "name", description: "only keys of this provider account", param: "accountId" },
  provider: { value: "name", description: "only keys of accounts at this provider" },
  targetModel: { value: "model", description: "what the provider is asked for in its place" },
  position: {
    value: "number",
    description: "its place, from 1: the first rule that is for a model decides",
  },
} as const;

const list = defineCommand({
  summary: "list routing rules, in the order in which they are asked",
  examples: ["keyward routing-rules list", "keyward routing-rules list --environment production"],
  reach: "admin",
  printsData: true,
  options: { environment: { value: "name", description: "only those of this environment" } },
  async run({ admin, options: { environment }, output }) {
    const client = await admin();
    const query = given({ environment });
    const answer = expectData(await client.GET("/routing-rules", { params: { query } }));
    await output.data(answer, async () => {
      if (answer.data.length === 0) return output.note("no routing rules");
      await output.table(answer.data, [
        { title: "environment", value: (rule) => formatOptional(rule.environment) },
        { title: "place", value: (rule) => formatCount(rule.position), isNumber: true },
        { title: "model", value: (rule) => rule.model },
        { title: "goes to", value: formatTarget },
        { title: "keys", value: (rule) => formatCount(rule.providerKeys), isNumber: true },
        { title: "id", value: (rule) => rule.id },
      ]);
    });
  },
});

/** `account eu, as gpt-4o-mini` */
function formatTarget({ account, accountId, provider, targetModel }: Rule): string {
  const parts = [
    ...(accountId === null ? [] : [`account ${account ?? accountId}`]),
    ...(provider === null ? [] : [`provider ${provider}`]),
    ...(targetModel === null ? [] : [`as ${targetModel}`]),
  ];
  return parts.join(", ");
}

const create = defineCommand({
  summary: "send an environment's calls for some models to an account, a provider or another model",
  details:
    "The model is a name, the beginning of names (`gpt-4*`), or `*` for every call. The first rule that is for a model decides; a call that no rule is for goes to any key of its environment.",
  examples: [
    "keyward routing-rules create --environment production --model 'gpt-4*' --account openai-eu",
    "keyward routing-rules create --environment production --model fast --target-model gpt-4o-mini",
    "keyward routing-rules create --environment staging --model '*' --provider simulator --position 1",
  ],
  reach: "admin",
  printsData: true,
  options: {
    environment: { value: "name", description: "the environment", isRequired: true },
    model: { value: "pattern", description: "for which models", isRequired: true },
    ...TARGET_OPTIONS,
  },
  async run({ admin, options, output }) {
    const { environment, model } = options;
    const body = { environment, model, ...targetOf(options) };
    const client = await admin();
    const rule = expectData(await client.POST("/routing-rules", { body }));
    await output.data(rule, () => {
      output.line(`added as rule ${rule.position} of ${environment} (${rule.id})`);
      noteMissingKey(rule, output);
    });
  },
});

const update = defineCommand({
  summary: "change a routing rule",
  details:
    "What is not named stays as it is; `none` takes an account, a provider or a target away.",
  examples: [
    "keyward routing-rules update rul_01JZ6Y4V2S8W3N5R7T9X0B1C2D --target-model gpt-4.1-mini",
    "keyward routing-rules update rul_01JZ6Y4V2S8W3N5R7T9X0B1C2D --account none --position 1",
  ],
  reach: "admin",
  printsData: true,
  arguments: ID,
  options: { model: { value: "pattern", description: "for which models" }, ...TARGET_OPTIONS },
  async run({ admin, arguments: { id }, options, output }) {
    const { model } = options;
    const change = { ...given({ model }), ...targetOf(options) };
    if (Object.keys(change).length === 0) {
      throw new CliError("nothing to change was named", { isUsage: true });
    }
    const body = Object.fromEntries(
      Object.entries(change).map(([name, value]) => [name, value === NONE ? null : value]),
    );
    const client = await admin();
    const params = { path: { id } };
    const rule = expectData(await client.PATCH("/routing-rules/{id}", { params, body }));
    await output.data(rule, () => {
      output.line(`${rule.model} now goes to ${formatTarget(rule)} (rule ${rule.position})`);
      noteMissingKey(rule, output);
    });
  },
});

const NONE = "none";

const remove = defineCommand({
  summary: "remove a routing rule",
  examples: ["keyward routing-rules remove rul_01JZ6Y4V2S8W3N5R7T9X0B1C2D --yes"],
  reach: "admin",
  printsData: true,
  arguments: ID,
  options: { yes: { description: "do not ask" } },
  async run({ admin, arguments: { id }, io, options, output }) {
    const client = await admin();
    const params = { path: { id } };
    const rule = expectData(await client.GET("/routing-rules/{id}", { params }));
    const what = `the rule for ${rule.model} of ${rule.environment ?? rule.environmentId}`;
    await agree({ io, isAgreed: options.yes }, `Remove ${what}?`);
    const removed = expectData(await client.DELETE("/routing-rules/{id}", { params }));
    await output.data(removed, () => output.line(`removed ${what} (${id})`));
  },
});

function targetOf(options: {
  readonly account: string | undefined;
  readonly provider: string | undefined;
  readonly targetModel: string | undefined;
  readonly position: string | undefined;
}) {
  const { account, provider, targetModel, position } = options;
  return given({
    accountId: account,
    provider,
    targetModel,
    position: position === undefined ? undefined : parseCount(position, "--position"),
  });
}

function noteMissingKey(rule: Rule, output: { note(text: string): void }): void {
  if (rule.providerKeys > 0) return;
  output.note(
    `no provider key of ${rule.environment ?? "its environment"} is allowed by it yet: calls for ${rule.model} are refused until there is one`,
  );
}

export const routingRules = { list, create, update, remove, test: routingTest };
