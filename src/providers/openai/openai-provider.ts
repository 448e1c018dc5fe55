import { ownershipOf } from "../../core/keys/ownership.ts";
import type { Provider } from "../provider.ts";
import { OpenaiKeyAdministration } from "./openai-key-administration.ts";

/** OpenAI itself. Source of the headers: the "Authentication" section of OpenAI's API reference. */
export const openaiProvider: Provider = {
  name: "openai",
  title: "OpenAI",
  dialects: ["openai"],
  defaultBaseUrl: "https://api.openai.com/v1",
  baseUrlExample: "https://eu.api.openai.com/v1",
  keysPage: "https://platform.openai.com/api-keys",
  accountFields: ["organizationId", "projectId"],
  supports: { streamUsage: true },
  isFree: false,
  // Not `account_deactivated`: an account that is activated again takes its keys again.
  badSecretCodes: new Set(["invalid_api_key"]),
  ownershipOf,
  adminKeyPrefix: "sk-admin-",
  administer: (deps) => new OpenaiKeyAdministration(deps),
  authHeaders({ secret, organizationId, projectId }) {
    const headers: [string, string][] = [["authorization", `Bearer ${secret}`]];
    if (organizationId !== null) headers.push(["openai-organization", organizationId]);
    if (projectId !== null) headers.push(["openai-project", projectId]);
    return headers;
  },
};
