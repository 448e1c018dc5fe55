import { expectData } from "../../admin/client.ts";
import { defineCommand } from "../command.ts";
import { formatTime } from "../format-cells.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";

const list = defineCommand({
  summary: "list projects, newest first",
  examples: ["keyward projects list", "keyward projects list --json"],
  reach: "admin",
  printsData: true,
  options: PAGE_OPTIONS,
  run: (context) =>
    printPage(context, {
      what: "projects",
      fetch: (client, query) => client.GET("/projects", { params: { query } }),
      columns: [
        { title: "name", value: (project) => project.name },
        { title: "created", value: (project) => formatTime(project.createdAt) },
        { title: "id", value: (project) => project.id },
      ],
    }),
});

const create = defineCommand({
  summary: "create a project",
  examples: ["keyward projects create --name support-bot"],
  reach: "admin",
  printsData: true,
  options: { name: { value: "name", description: "unique name", isRequired: true } },
  async run({ admin, options, output }) {
    const client = await admin();
    const project = expectData(await client.POST("/projects", { body: { name: options.name } }));
    await output.data(project, () =>
      output.line(`created project ${project.name} (${project.id})`),
    );
  },
});

export const projects = { list, create };
