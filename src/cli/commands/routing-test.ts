import type { components } from "../../admin/api-types.ts";
import { expectData } from "../../admin/client.ts";
import { defineCommand } from "../command.ts";
import { formatCount } from "../format-cells.ts";
import { formatHealth } from "../format-health.ts";
import { given } from "../given.ts";

type RoutingTest = components["schemas"]["RoutingTest"];

const LEFT_OUT = {
  rule: "the rule does not allow it",
  endpoint: "its provider has no such endpoint",
} as const;

const REFUSED = {
  no_provider_key: "the environment has no provider key",
  routing_rule_unusable: "the rule allows no provider key that is there",
  endpoint_not_served: "no provider that it may go to has the endpoint",
} as const;

export const routingTest = defineCommand({
  summary: "say where a call would go, and why; nothing is sent",
  examples: [
    "keyward routing-rules test --model gpt-4o-mini --environment production",
    "keyward routing-rules test --environment production --path /v1/files --json",
  ],
  reach: "admin",
  printsData: true,
  options: {
    environment: { value: "name", description: "the environment", isRequired: true },
    model: { value: "model", description: "what the call asks for" },
    method: { value: "method", description: "its method", default: "POST" },
    path: { value: "path", description: "its endpoint", default: "/v1/chat/completions" },
  },
  async run({ admin, options: { environment, model, method, path }, output }) {
    const client = await admin();
    const query = { environment, method, path, ...given({ model }) };
    const found = expectData(await client.GET("/routing-rules/test", { params: { query } }));
    await output.data(found, async () => {
      output.facts([
        ["rule", found.ruleId ?? "none: any key of the environment"],
        ["model", formatModel(found)],
        ["answered by", formatOutcome(found)],
      ]);
      if (found.ways.length > 0) {
        output.line();
        await output.table(found.ways, [
          { title: "provider key", value: ({ name }) => name },
          { title: "account", value: ({ account }) => account },
          { title: "provider", value: ({ provider }) => provider },
          { title: "weight", value: ({ weight }) => formatCount(weight), isNumber: true },
          { title: "share", value: formatShare, isNumber: true },
          { title: "health", value: ({ health }) => formatHealth(health) },
        ]);
      }
      for (const { name, account, reason } of found.leftOut) {
        output.note(`not with ${name} of ${account}: ${LEFT_OUT[reason]}`);
      }
    });
  },
});

function formatModel({ model, sentModel }: RoutingTest): string {
  if (model === null) return "none that Keyward reads";
  return sentModel === model ? model : `${model}, sent as ${sentModel ?? model}`;
}

function formatOutcome({ outcome, refusedWith, ways }: RoutingTest): string {
  if (outcome === "simulator") return "the built-in simulator";
  if (refusedWith !== null) return `nobody: ${REFUSED[refusedWith]} (${refusedWith})`;
  return ways.length === 1 ? "one provider key" : `one of ${ways.length} provider keys, by weight`;
}

function formatShare({ share, weight }: RoutingTest["ways"][number]): string {
  return weight === 0 ? "spare" : `${Math.round(share * 100)}%`;
}
