import { expectData } from "../../admin/client.ts";
import {
  CLIENT_TOKEN_ENDPOINTS,
  type ClientTokenEndpoint,
  DEFAULT_CLIENT_TOKEN_ENDPOINTS,
} from "../../core/keys/client-token.ts";
import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { formatTime } from "../format-cells.ts";
import { given } from "../given.ts";
import { AMOUNT_OPTIONS, amountsOf } from "../limit-options.ts";
import { parseChoice } from "../parse-choice.ts";
import { parseDuration } from "../parse-duration.ts";
import { confirm } from "../prompts.ts";

const create = defineCommand({
  summary: "make a token for a page in a browser, good for minutes",
  details: `For trying out; a server makes them by POST /client-tokens. Without --endpoint it may call ${DEFAULT_CLIENT_TOKEN_ENDPOINTS.join(" and ")}.`,
  examples: [
    "keyward client-tokens create --key key_01JZ6Y4V2S8W3N5R7T9X0B1C2D --customer acme --model gpt-4o-mini",
    "keyward client-tokens create --key key_01JZ6Y4V2S8W3N5R7T9X0B1C2D --customer acme --model gpt-4o-mini --expires-in 5m --requests 20 --feature support-chat",
  ],
  reach: "admin",
  printsData: true,
  options: {
    key: {
      value: "id",
      description: "the gateway key that it is made under, and ends with",
      isRequired: true,
    },
    customer: { value: "id", description: "whose calls they are", isRequired: true },
    model: {
      value: "name",
      description: "a model that it may call; may be repeated (required)",
      isRepeatable: true,
      param: "models",
    },
    endpoint: {
      value: "path",
      description: "an endpoint that it may call; may be repeated",
      choices: CLIENT_TOKEN_ENDPOINTS,
      isRepeatable: true,
      param: "endpoints",
    },
    expiresIn: {
      value: "span",
      description: "30s to 1h",
      default: "10m",
      param: "expiresInSeconds",
      unit: "seconds",
    },
    feature: { value: "name", description: "what part of the product calls" },
    ...AMOUNT_OPTIONS,
  },
  async run({ admin, options, output }) {
    const { key, customer, model, endpoint, expiresIn, feature } = options;
    if (model.length === 0) throw new CliError("--model is required", { isUsage: true });
    const client = await admin();
    const body = {
      key,
      customer,
      models: [...model],
      expiresInSeconds: parseDuration(expiresIn, "--expires-in"),
      limits: amountsOf(options),
      ...given({ feature }),
      ...(endpoint.length === 0
        ? {}
        : { endpoints: endpoint.map((one) => parseChoice(one, isEndpoint, "--endpoint")) }),
    };
    const made = expectData(await client.POST("/client-tokens", { body }));
    await output.data(made, () => {
      output.line(made.token);
      output.note(`${made.id}, until ${formatTime(made.expiresAt)} UTC`);
    });
  },
});

function isEndpoint(text: string): text is ClientTokenEndpoint {
  return (CLIENT_TOKEN_ENDPOINTS as readonly string[]).includes(text);
}

const revoke = defineCommand({
  summary: "revoke every client token of a customer or an environment",
  details:
    "All that were made so far; new ones can be made at once. Those of one gateway key end when that is revoked: keyward keys revoke.",
  examples: [
    "keyward client-tokens revoke --customer acme",
    "keyward client-tokens revoke --environment production --yes",
  ],
  reach: "admin",
  printsData: true,
  options: {
    customer: { value: "id", description: "all of this customer" },
    environment: { value: "name", description: "all of this environment" },
    yes: { description: "do not ask" },
  },
  async run({ admin, io, options: { customer, environment, yes }, output }) {
    if ((customer === undefined) === (environment === undefined)) {
      throw new CliError("name a customer or an environment, one of the two", { isUsage: true });
    }
    const whose = customer === undefined ? `environment ${environment}` : `customer ${customer}`;
    if (!yes && !(await confirm(io, `Revoke every client token of ${whose}?`, "add --yes"))) {
      throw new CliError("not confirmed; nothing was changed");
    }
    const client = await admin();
    const body = given({ customer, environment });
    const revoked = expectData(await client.POST("/client-tokens/revoke", { body }));
    await output.data(revoked, () => {
      output.line(`revoked every client token of ${whose} that was made so far`);
    });
  },
});

export const clientTokens = { create, revoke };
