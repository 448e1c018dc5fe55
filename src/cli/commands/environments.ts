import { expectData } from "../../admin/client.ts";
import {
  ENVIRONMENT_KINDS,
  isEnvironmentKind,
  isUnpricedPolicy,
  UNPRICED_POLICIES,
} from "../../core/environments/environment.ts";
import { defineCommand } from "../command.ts";
import { formatTime } from "../format-cells.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";
import { parseChoice } from "../parse-choice.ts";

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

export const environments = { list, create, "set-policy": setPolicy };
