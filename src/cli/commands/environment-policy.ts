import type { components } from "../../admin/api-types.ts";
import { expectData } from "../../admin/client.ts";
import {
  isPolicyRule,
  isRuleMode,
  POLICY_RULES,
  type PolicyRule,
  RULE_MODES,
  type RuleMode,
} from "../../core/policy/environment-policy.ts";
import { counted } from "../../core/text/counted.ts";
import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { given } from "../given.ts";
import { ANY, listGiven } from "../key-options.ts";
import type { Output } from "../output.ts";
import { parseCount } from "../parse-count.ts";

type Policy = components["schemas"]["EnvironmentPolicy"];
type Change = components["schemas"]["EnvironmentPolicyChange"];

export const policy = defineCommand({
  summary: "show or change what an environment refuses",
  details: `Each rule is enforce (what breaks it is refused), warn (it passes, and is counted and shown) or off; default gives it back to the environment's kind. Rules: ${POLICY_RULES.join(", ")}. A list is replaced by the one that is given; any takes it, or the number, away.`,
  examples: [
    "keyward environments policy production",
    "keyward environments policy staging --set no_browser_calls=warn --set no_personal_keys=enforce",
    "keyward environments policy production --allow-ip 10.1.0.0/16 --allow-ip 2001:db8::/32",
    "keyward environments policy production --allow-model 'gpt-4o*' --allow-endpoint @text --max-output-tokens 4096",
    "keyward environments policy production --allow-ip any --max-output-tokens any --set allowed_models=default",
  ],
  reach: "admin",
  printsData: true,
  arguments: { environment: { description: "its name or id" } },
  options: {
    set: {
      value: "rule=mode",
      description: "what becomes of what breaks a rule; may be repeated",
      isRepeatable: true,
      param: "rules",
    },
    allowIp: {
      value: "network",
      description: "for allowed_ips; may be repeated",
      isRepeatable: true,
      param: "allowedIps",
    },
    allowModel: {
      value: "model",
      description: "for allowed_models; may be repeated",
      isRepeatable: true,
      param: "allowedModels",
    },
    allowEndpoint: {
      value: "path",
      description: "for allowed_endpoints; may be repeated",
      isRepeatable: true,
      param: "allowedEndpoints",
    },
    maxOutputTokens: { value: "count", description: "for max_output_tokens, or any" },
  },
  async run({ admin, arguments: { environment: id }, options, output }) {
    const body: Change = given({
      rules: options.set.length === 0 ? undefined : parseRules(options.set),
      allowedIps: listGiven(options.allowIp, "--allow-ip"),
      allowedModels: listGiven(options.allowModel, "--allow-model"),
      allowedEndpoints: listGiven(options.allowEndpoint, "--allow-endpoint"),
      maxOutputTokens: parseTokens(options.maxOutputTokens),
    });
    const client = await admin();
    const params = { path: { id } };
    if (Object.keys(body).length === 0) {
      const found = expectData(await client.GET("/environments/{id}/policy", { params }));
      await output.data(found, () => printPolicy(output, found));
      return;
    }
    const changed = expectData(await client.PATCH("/environments/{id}/policy", { params, body }));
    await output.data(changed, async () => {
      await printPolicy(output, changed);
      for (const warning of changed.warnings) output.warn(warning);
    });
  },
});

function parseRules(texts: readonly string[]): Partial<Record<PolicyRule, RuleMode | null>> {
  const rules: Partial<Record<PolicyRule, RuleMode | null>> = {};
  for (const text of texts) {
    const [rule = "", mode = "", ...more] = text.split("=");
    if (!isPolicyRule(rule) || more.length > 0) {
      throw new CliError(`--set takes rule=mode; got ${JSON.stringify(text)}`, {
        isUsage: true,
        advice: `rules are ${POLICY_RULES.join(", ")}`,
      });
    }
    if (mode === "default") rules[rule] = null;
    else if (isRuleMode(mode)) rules[rule] = mode;
    else {
      throw new CliError(`${rule} can be ${RULE_MODES.join(", ")} or default`, { isUsage: true });
    }
  }
  return rules;
}

function parseTokens(text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined;
  return text === "none" || text === ANY ? null : parseCount(text, "--max-output-tokens");
}

async function printPolicy(output: Output, found: Policy): Promise<void> {
  const watched: Readonly<Partial<Record<PolicyRule, string>>> = {
    allowed_ips: listOr(found.allowedIps, "everywhere"),
    allowed_models: listOr(found.allowedModels, "every model"),
    allowed_endpoints: listOr(found.allowedEndpoints, "every endpoint"),
    max_output_tokens:
      found.maxOutputTokens === null ? "any output" : counted(found.maxOutputTokens, "token"),
  };
  await output.table(POLICY_RULES, [
    { title: "rule", value: (rule) => rule },
    { title: "mode", value: (rule) => found.rules[rule] },
    { title: "is broken by", value: (rule) => BROKEN_BY[rule] },
    { title: "allows", value: (rule) => watched[rule] ?? "–" },
  ]);
  for (const { mode, rule, subject, message } of found.violations) {
    const color = mode === "enforce" ? "red" : "yellow";
    output.marked(mode, color, `${rule}: ${subject.name} (${subject.id}). ${message}`);
  }
}

/** What is refused where a rule is `enforce`. */
const BROKEN_BY = {
  one_environment_per_provider_key: "a provider secret in two environments",
  no_personal_keys: "a provider key of a person",
  no_simulator_keys: "a provider key of the simulator",
  allowed_ips: "a call from elsewhere",
  allowed_models: "a call of another model",
  allowed_endpoints: "a call of another endpoint",
  max_output_tokens: "a call that asks for more output",
  no_browser_calls: "a browser's call, unless the key is for browsers",
  leaked_keys: "a gateway key that is reported as leaked",
} as const satisfies Record<PolicyRule, string>;

function listOr(names: readonly string[] | null, all: string): string {
  return names === null ? all : names.join(", ");
}
