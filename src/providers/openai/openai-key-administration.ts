import { ownershipOf } from "../../core/keys/ownership.ts";
import type {
  AdministrationAnswer,
  AdministrationDeps,
  CreatedKey,
  KeyAddress,
  KeyAdministration,
  ListedKey,
  ModelRateLimit,
  NamedObject,
  RateLimitChange,
} from "../key-administration.ts";
import {
  isFields,
  OpenaiAdminApi,
  pathOf,
  readNumber,
  readSeconds,
  readText,
} from "./openai-admin-api.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Also keys of people who have left the project: whoever holds one can still call with it. */
const ANY_ACCESS = { owner_project_access: "any" } as const;

const SECTIONS = { spend: "Budget", models: "Model usage", rate: "Rate limits" } as const;

/** OpenAI's Admin API. */
export class OpenaiKeyAdministration implements KeyAdministration {
  readonly #api: OpenaiAdminApi;

  constructor(deps: AdministrationDeps) {
    this.#api = new OpenaiAdminApi(deps);
  }

  async check(): Promise<AdministrationAnswer<null>> {
    return await this.#api.request({ method: "GET", path: "/projects?limit=1" }, (fields) =>
      Array.isArray(fields["data"]) ? null : undefined,
    );
  }

  async listProjects(): Promise<AdministrationAnswer<readonly NamedObject[]>> {
    return await this.#api.list("/projects", {}, readNamed);
  }

  async findProject(id: string): Promise<AdministrationAnswer<{ readonly isArchived: boolean }>> {
    return await this.#api.request({ method: "GET", path: projectPath(id) }, (fields) => {
      const status = readText(fields, "status");
      return status === undefined ? undefined : { isArchived: status === "archived" };
    });
  }

  async createProject(name: string): Promise<AdministrationAnswer<NamedObject>> {
    return await this.#api.request(
      { method: "POST", path: "/projects", body: { name } },
      readNamed,
    );
  }

  async archiveProject(id: string): Promise<AdministrationAnswer<null>> {
    const path = projectPath(id, "archive");
    return await this.#api.request({ method: "POST", path }, () => null);
  }

  async listServiceAccounts(
    projectId: string,
  ): Promise<AdministrationAnswer<readonly NamedObject[]>> {
    return await this.#api.list(projectPath(projectId, "service_accounts"), {}, readNamed);
  }

  async createServiceAccount(
    projectId: string,
    name: string,
  ): Promise<AdministrationAnswer<CreatedKey>> {
    const path = projectPath(projectId, "service_accounts");
    return await this.#api.request({ method: "POST", path, body: { name } }, (fields) => {
      const serviceAccountId = readText(fields, "id");
      const key = fields["api_key"];
      return serviceAccountId === undefined || !isFields(key)
        ? undefined
        : readCreated(key, projectId, serviceAccountId);
    });
  }

  async deleteServiceAccount(projectId: string, id: string): Promise<AdministrationAnswer<null>> {
    return await this.#delete(projectPath(projectId, "service_accounts", id));
  }

  async listKeys(projectId: string): Promise<AdministrationAnswer<readonly ListedKey[]>> {
    return await this.#api.list(projectPath(projectId, "api_keys"), ANY_ACCESS, (fields) =>
      readListed(fields, projectId),
    );
  }

  async createKey(
    { projectId, serviceAccountId }: Parameters<KeyAdministration["createKey"]>[0],
    name: string,
  ): Promise<AdministrationAnswer<CreatedKey>> {
    const path = projectPath(projectId, "service_accounts", serviceAccountId, "api_keys");
    return await this.#api.request({ method: "POST", path, body: { name } }, (fields) =>
      readCreated(fields, projectId, serviceAccountId),
    );
  }

  async expireKey(
    { projectId, keyId }: KeyAddress,
    inSeconds: number,
  ): Promise<AdministrationAnswer<null>> {
    const path = projectPath(projectId, "api_keys", keyId);
    const body = { expires_in_seconds: inSeconds };
    return await this.#api.request({ method: "POST", path, body }, () => null);
  }

  async deleteKey({ projectId, keyId }: KeyAddress): Promise<AdministrationAnswer<null>> {
    return await this.#delete(projectPath(projectId, "api_keys", keyId));
  }

  async setSpendLimit(
    projectId: string,
    monthlyCents: number,
  ): Promise<AdministrationAnswer<null>> {
    const path = projectPath(projectId, "spend_limit");
    const body = { currency: "USD", interval: "month", threshold_amount: monthlyCents };
    return await this.#api.request({ method: "POST", path, body }, () => null);
  }

  async allowModels(
    projectId: string,
    models: readonly string[],
  ): Promise<AdministrationAnswer<null>> {
    const path = projectPath(projectId, "model_permissions");
    const body = { mode: "allow_list", model_ids: models };
    return await this.#api.request({ method: "POST", path, body }, () => null);
  }

  async listRateLimits(
    projectId: string,
  ): Promise<AdministrationAnswer<readonly ModelRateLimit[]>> {
    return await this.#api.list(projectPath(projectId, "rate_limits"), {}, (fields) => {
      const [id, model] = [readText(fields, "id"), readText(fields, "model")];
      return id === undefined || model === undefined
        ? undefined
        : {
            id,
            model,
            requestsPerMinute: readNumber(fields, "max_requests_per_1_minute"),
            tokensPerMinute: readNumber(fields, "max_tokens_per_1_minute"),
          };
    });
  }

  async setRateLimit(
    projectId: string,
    id: ModelRateLimit["id"],
    { requestsPerMinute, tokensPerMinute }: RateLimitChange,
  ): Promise<AdministrationAnswer<null>> {
    const path = projectPath(projectId, "rate_limits", id);
    const body = {
      ...(requestsPerMinute === null ? {} : { max_requests_per_1_minute: requestsPerMinute }),
      ...(tokensPerMinute === null ? {} : { max_tokens_per_1_minute: tokensPerMinute }),
    };
    return await this.#api.request({ method: "POST", path, body }, () => null);
  }

  placeOf(limit: "spend" | "models" | "rate"): string {
    return `platform.openai.com: Settings, Project, Limits, ${SECTIONS[limit]}`;
  }

  async #delete(path: string): Promise<AdministrationAnswer<null>> {
    return await this.#api.request({ method: "DELETE", path }, (fields) =>
      fields["deleted"] === true ? null : undefined,
    );
  }
}

function projectPath(projectId: string, ...parts: readonly string[]): string {
  return `/projects${pathOf(projectId, ...parts)}`;
}

function readNamed(fields: Fields): NamedObject | undefined {
  const id = readText(fields, "id");
  return id === undefined ? undefined : { id, name: readText(fields, "name") ?? id };
}

function readCreated(
  fields: Fields,
  projectId: string,
  serviceAccountId: string,
): CreatedKey | undefined {
  const [keyId, secret] = [readText(fields, "id"), readText(fields, "value")];
  if (keyId === undefined || secret === undefined) return undefined;
  return { keyId, projectId, serviceAccountId, secret };
}

function readListed(fields: Fields, projectId: string): ListedKey | undefined {
  const keyId = readText(fields, "id");
  const redactedValue = readText(fields, "redacted_value");
  const createdAtMs = readSeconds(fields, "created_at");
  const owner = isFields(fields["owner"]) ? fields["owner"] : {};
  if (keyId === undefined || redactedValue === undefined || createdAtMs === null) return undefined;
  const account = isFields(owner["service_account"]) ? owner["service_account"] : undefined;
  const user = isFields(owner["user"]) ? owner["user"] : undefined;
  const named = account ?? user ?? {};
  return {
    keyId,
    projectId,
    serviceAccountId: account === undefined ? null : (readText(account, "id") ?? null),
    name: readText(fields, "name") ?? keyId,
    redactedValue,
    owner: ownershipOf({ adminOwnerType: readText(owner, "type") }).owner,
    ownerName: readText(named, "name") ?? null,
    createdAtMs,
    lastUsedAtMs: readSeconds(fields, "last_used_at"),
    expiresAtMs: readSeconds(fields, "expires_at"),
  };
}
