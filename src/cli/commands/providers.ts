import { expectData } from "../../admin/client.ts";
import { defineCommand } from "../command.ts";

const list = defineCommand({
  summary: "list the providers that Keyward knows, with their base URLs",
  details:
    "Any other server that speaks OpenAI's API is `openai-compatible`, with a base URL of its own.",
  examples: ["keyward providers list", "keyward providers list --json"],
  reach: "admin",
  printsData: true,
  options: {},
  async run({ admin, output }) {
    const client = await admin();
    const providers = expectData(await client.GET("/providers"));
    await output.data(providers, () =>
      output.table(providers.data, [
        { title: "name", value: (provider) => provider.name },
        { title: "title", value: (provider) => provider.title },
        { title: "speaks", value: (provider) => provider.dialects.join(", ") },
        {
          title: "base URL",
          value: (provider) =>
            provider.defaultBaseUrl ??
            (provider.isFree ? "built in" : `yours, such as ${provider.baseUrlExample}`),
        },
      ]),
    );
  },
});

export const providers = { list };
