import { expectData } from "../../admin/client.ts";
import { defineCommand } from "../command.ts";
import { formatOptional, formatTime } from "../format-cells.ts";
import { given } from "../given.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";

const list = defineCommand({
  summary: "list customers, newest first",
  examples: ["keyward customers list", "keyward customers list --json"],
  reach: "admin",
  printsData: true,
  options: PAGE_OPTIONS,
  run: (context) =>
    printPage(context, {
      what: "customers",
      fetch: (client, query) => client.GET("/customers", { params: { query } }),
      columns: [
        { title: "external id", value: (customer) => customer.externalId },
        { title: "name", value: (customer) => formatOptional(customer.name) },
        { title: "created", value: (customer) => formatTime(customer.createdAt) },
        { title: "id", value: (customer) => customer.id },
      ],
    }),
});

const create = defineCommand({
  summary: "create a customer",
  details:
    "A call is also attributed to a customer that was never created: creating one gives it a name and lets keys be bound to it.",
  examples: ['keyward customers create --external-id acme --name "Acme Ltd"'],
  reach: "admin",
  printsData: true,
  options: {
    externalId: {
      value: "id",
      description: "your own id for the customer; never changes",
      isRequired: true,
    },
    name: { value: "name", description: "for people" },
  },
  async run({ admin, options: { externalId, name }, output }) {
    const body = { externalId, ...given({ name }) };
    const client = await admin();
    const customer = expectData(await client.POST("/customers", { body }));
    await output.data(customer, () => {
      output.line(`created customer ${customer.externalId} (${customer.id})`);
    });
  },
});

export const customers = { list, create };
