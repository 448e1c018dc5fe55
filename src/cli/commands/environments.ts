import { expectData } from "../../admin/client.ts";
import {
  ENVIRONMENT_KINDS,
  isEnvironmentKind,
  isUnpricedPolicy,
  UNPRICED_POLICIES,
} from "../../core/environments/environment.ts";
import { defineCommand } from "../command.ts";
import { formatTime, formatUsd } from "../format-cells.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";
import { parseChoice } from "../parse-choice.ts";
import { policy } from "./environment-policy.ts";

const list = defineCommand({
  summary: "list environments, newest first",
  examples: ["keyward environments list", "keyward environments list --json"],
  reach: "admin",
  printsData: true,
  options: PAGE_OPTIONS,
  run: (context) =>
    printPage(context, {
      what: "environments",
      fetch: (client, query) => client.GET("/environments", { params: { query } }),
      columns: [
        { title: "name", value: (environment) => environment.name },
        { title: "kind", value: (environment) => environment.kind },
        { title: "unpriced models", value: (environment) => environment.unpricedPolicy },
        { title: "created", value: (environment) => formatTime(environment.createdAt) },
        { title: "id", value: (environment) => environment.id },
      ],
    }),
});

const create = defineCommand({
  summary: "create a custom environment",
  details: "development, staging and production are there from the first start.",
  examples: ["keyward environments create --name preview --kind staging"],
  reach: "admin",
  printsData: true,
  options: {
    name: { value: "name", description: "unique name", isRequired: true },
    kind: {
      value: "kind",
      description: "decides the prefix of its gateway keys and which policies hold",
      choices: ENVIRONMENT_KINDS,
      isRequired: true,
    },
  },
  async run({ admin, options, output }) {
    const kind = parseChoice(options.kind, isEnvironmentKind, "--kind");
    const body = { name: options.name, kind };
    const client = await admin();
    const environment = expectData(await client.POST("/environments", { body }));
    await output.data(environment, () => {
      output.line(`created environment ${environment.name} (${environment.id})`);
    });
  },
});

const setPolicy = defineCommand({
  summary: "say what becomes of calls whose model has no price",
  details:
    "allow_and_alert makes them, logs a warning and counts them as unpriced; refuse refuses them before they are sent. The simulator is free and not affected.",
  examples: [
    "keyward environments set-policy production --unpriced refuse",
    "keyward environments set-policy production --unpriced allow_and_alert",
  ],
  reach: "admin",
  printsData: true,
  arguments: { environment: { description: "its name or id" } },
  options: {
    unpriced: {
      value: "policy",
      description: "for a model without a price",
      choices: UNPRICED_POLICIES,
      isRequired: true,
      param: "unpricedPolicy",
    },
  },
  async run({ admin, arguments: { environment: id }, options, output }) {
    const unpricedPolicy = parseChoice(options.unpriced, isUnpricedPolicy, "--unpriced");
    const client = await admin();
    const changed = expectData(
      await client.PATCH("/environments/{id}", {
        params: { path: { id } },
        body: { unpricedPolicy },
      }),
    );
    await output.data(changed, () => {
      output.line(`environment ${changed.name}: unpriced models ${changed.unpricedPolicy}`);
    });
  },
});

const setBudgetCeiling = defineCommand({
  summary: "say what is set aside for calls whose worst case can't be told",
  details:
    "Where a hard budget counts such a call (a batch, a model without a price, hosted tools without a limit), this amount is held for it; none refuses it. It is your promise: a call that costs more takes the budget over its limit.",
  examples: [
    "keyward environments set-budget-ceiling production 2.50",
    "keyward environments set-budget-ceiling production none",
  ],
  reach: "admin",
  printsData: true,
  arguments: {
    environment: { description: "its name or id" },
    usd: { description: "an amount in USD, or none" },
  },
  async run({ admin, arguments: { environment: id, usd }, output }) {
    const body = { budgetCeilingUsd: usd === "none" ? null : usd };
    const client = await admin();
    const params = { path: { id } };
    const changed = expectData(await client.PATCH("/environments/{id}", { params, body }));
    const { name, budgetCeilingUsd } = changed;
    await output.data(changed, () => {
      const what =
        budgetCeilingUsd === null ? "are refused" : `are held at ${formatUsd(budgetCeilingUsd)}`;
      output.line(
        `environment ${name}: calls that a hard budget counts and nothing bounds ${what}`,
      );
    });
  },
});

export const environments = {
  list,
  create,
  policy,
  "set-policy": setPolicy,
  "set-budget-ceiling": setBudgetCeiling,
};
