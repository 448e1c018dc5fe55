import { expectData } from "../../admin/client.ts";
import { ENVIRONMENT_KINDS, isEnvironmentKind } from "../../core/environments/environment.ts";
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

export const environments = { list, create };
