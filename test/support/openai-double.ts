import type {
  ProjectAPIKey,
  APIKeyDeleteResponse,
} from "openai/resources/admin/organization/projects/api-keys";
import type { ProjectModelPermissions } from "openai/resources/admin/organization/projects/model-permissions";
import type { Project } from "openai/resources/admin/organization/projects/projects";
import type { ProjectRateLimit } from "openai/resources/admin/organization/projects/rate-limits";
import type { APIKeyCreateResponse } from "openai/resources/admin/organization/projects/service-accounts/api-keys";
import type {
  ProjectServiceAccount,
  ServiceAccountCreateResponse,
  ServiceAccountDeleteResponse,
} from "openai/resources/admin/organization/projects/service-accounts/service-accounts";
import type { ProjectSpendLimit } from "openai/resources/admin/organization/projects/spend-limit";

export interface DoubleRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

export interface DoubleAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

interface HeldKey {
  readonly id: string;
  readonly projectId: string;
  /** Null: a person's. */
  readonly accountId: string | null;
  readonly name: string;
  readonly secret: string;
  expiresAt: number | null;
  lastUsedAt: number | null;
  calls: number;
}

/** What the double does not do, as some organizations' APIs do not: it answers 403. */
export type Unsupported =
  | "create_project"
  | "create_key"
  | "update_key"
  | "delete_key"
  | "spend_limit"
  | "models"
  | "rate_limits";

/**
 * An OpenAI organization with its Admin API and the calls that its keys may make, in memory. Its answers have the types
 * of the official client, checked by the compiler. Keys that it deleted are refused, so that a rotation under load is a
 * real one.
 */
export class OpenaiDouble {
  readonly adminKey = secretOf("sk-admin", 0);
  readonly projects: Project[] = [];
  readonly archivedProjects: Project[] = [];
  readonly serviceAccounts: (ProjectServiceAccount & { readonly projectId: string })[] = [];
  readonly keys: HeldKey[] = [];
  readonly spendLimits = new Map<string, ProjectSpendLimit>();
  readonly modelPermissions = new Map<string, ProjectModelPermissions>();
  readonly rateLimits: (ProjectRateLimit & { readonly projectId: string })[] = [];
  readonly unsupported = new Set<Unsupported>();
  /** Every request to the Admin API, `POST /organization/…`. */
  readonly log: string[] = [];
  /** Of the calls with deleted keys. */
  refusedCalls = 0;
  /** Answers with this status instead, for as long as it says so. */
  fault: ((request: DoubleRequest) => number | undefined) | undefined;
  /** The list of models is shown to everybody, as some providers do. */
  isModelListOpen = false;
  /** Projects that are there and that its list does not show yet. */
  isUnlisted: (project: Project) => boolean = () => false;
  #count = 0;
  readonly #now = () => Math.floor(Date.now() / 1000);

  addProject(name: string): Project {
    const project = {
      id: `proj_${this.#next()}`,
      object: "organization.project",
      name,
      created_at: this.#now(),
      archived_at: null,
      status: "active",
    } satisfies Project;
    this.projects.push(project);
    for (const model of ["gpt-4o-mini", "gpt-4o", "o4-mini"]) {
      this.rateLimits.push({
        id: `rl-${model}`,
        object: "project.rate_limit",
        projectId: project.id,
        model,
        max_requests_per_1_minute: 10_000,
        max_tokens_per_1_minute: 1_000_000,
      });
    }
    return project;
  }

  addServiceAccount(projectId: string, name: string): ProjectServiceAccount {
    const account = {
      id: `user-sa${this.#next()}`,
      object: "organization.project.service_account",
      name,
      role: "member",
      created_at: this.#now(),
    } satisfies ProjectServiceAccount;
    this.serviceAccounts.push({ ...account, projectId });
    return account;
  }

  /** `accountId` null: a person's key. */
  addKey(projectId: string, accountId: string | null, name: string): HeldKey {
    const id = `key_${this.#next()}`;
    const secret = secretOf(accountId === null ? "sk-proj" : "sk-svcacct", this.#count);
    const key = { id, projectId, accountId, name, secret };
    const held: HeldKey = { ...key, expiresAt: null, lastUsedAt: null, calls: 0 };
    this.keys.push(held);
    return held;
  }

  /** Requests below `/v1`. */
  answer(request: DoubleRequest): DoubleAnswer {
    const status = this.fault?.(request);
    if (status !== undefined) return errorAnswer(status, "a fault was asked for");
    const { pathname, searchParams } = new URL(request.path, "http://double.invalid");
    const path = pathname.replace(/^\/v1/, "");
    if (!path.startsWith("/organization/")) return this.#call(request, path);
    this.log.push(`${request.method} ${path}`);
    if (request.authorization !== `Bearer ${this.adminKey}`) {
      return errorAnswer(401, "Incorrect API key provided", "invalid_api_key");
    }
    const parts = path.slice("/organization/projects".length).split("/").filter(Boolean);
    return this.#administer(request, parts.map(decodeURIComponent), searchParams);
  }

  #administer(request: DoubleRequest, parts: readonly string[], search: URLSearchParams) {
    const [projectId = "", kind = "", id = "", below = ""] = parts;
    const { method } = request;
    const body = (request.body ?? {}) as Record<string, unknown>;
    if (projectId === "") {
      if (method === "GET") {
        const listed = this.projects.filter((project) => !this.isUnlisted(project));
        return page(listed, search);
      }
      if (this.unsupported.has("create_project")) return FORBIDDEN;
      return answer(this.addProject(String(body["name"])));
    }
    const project = this.projects.find((one) => one.id === projectId);
    if (kind === "") {
      const found = project ?? this.archivedProjects.find((one) => one.id === projectId);
      return found === undefined ? NOT_FOUND : answer(found);
    }
    if (project === undefined) return NOT_FOUND;
    switch (kind) {
      case "archive":
        return this.#archive(project);
      case "service_accounts":
        return below === "api_keys"
          ? this.#createKey(projectId, id, body)
          : this.#serviceAccounts(method, { projectId, id, search, body });
      case "api_keys":
        return this.#apiKeys(method, { projectId, id, search, body });
      case "spend_limit":
        return this.#setSpendLimit(projectId, body);
      case "model_permissions":
        return this.#setModels(projectId, body);
      case "rate_limits":
        return this.#rateLimits(method, { projectId, id, search, body });
      default:
        return NOT_FOUND;
    }
  }

  /** It is listed no more, and its keys are refused. */
  #archive(project: Project): DoubleAnswer {
    const { id } = project;
    remove(this.projects, (one) => one.id === id);
    while (remove(this.keys, (key) => key.projectId === id));
    while (remove(this.serviceAccounts, (one) => one.projectId === id));
    const archived = { ...project, status: "archived", archived_at: this.#now() } satisfies Project;
    this.archivedProjects.push(archived);
    return answer(archived);
  }

  #serviceAccounts(method: string, { projectId, id, search, body }: Asked): DoubleAnswer {
    const own = this.serviceAccounts.filter((one) => one.projectId === projectId);
    if (method === "GET") return page(own.map(withoutProject), search);
    if (method === "DELETE") {
      if (!remove(this.serviceAccounts, (one) => one.id === id)) return NOT_FOUND;
      while (remove(this.keys, (key) => key.accountId === id));
      const object = "organization.project.service_account.deleted";
      return answer({ id, deleted: true, object } satisfies ServiceAccountDeleteResponse);
    }
    const account = this.addServiceAccount(projectId, String(body["name"]));
    const key = this.addKey(projectId, account.id, "Secret Key");
    return answer({
      id: account.id,
      object: account.object,
      name: account.name,
      role: "member",
      created_at: account.created_at,
      api_key: this.#shownOnce(key),
    } satisfies ServiceAccountCreateResponse);
  }

  #createKey(
    projectId: string,
    accountId: string,
    body: Readonly<Record<string, unknown>>,
  ): DoubleAnswer {
    if (this.unsupported.has("create_key")) return FORBIDDEN;
    if (!this.serviceAccounts.some((one) => one.id === accountId)) return NOT_FOUND;
    return answer(this.#shownOnce(this.addKey(projectId, accountId, String(body["name"]))));
  }

  #shownOnce({ id, name, secret }: HeldKey) {
    const object = "organization.project.service_account.api_key";
    const created_at = this.#now();
    return { id, object, name, value: secret, created_at } satisfies APIKeyCreateResponse;
  }

  #apiKeys(method: string, { projectId, id, search, body }: Asked): DoubleAnswer {
    const own = this.keys.filter((key) => key.projectId === projectId);
    if (method === "GET")
      return page(
        own.map((key) => this.#listed(key)),
        search,
      );
    const key = own.find((one) => one.id === id);
    if (key === undefined) return NOT_FOUND;
    if (method === "POST") {
      if (this.unsupported.has("update_key")) return FORBIDDEN;
      key.expiresAt = this.#now() + Number(body["expires_in_seconds"]);
      return answer(this.#listed(key));
    }
    if (this.unsupported.has("delete_key")) return FORBIDDEN;
    remove(this.keys, (one) => one.id === id);
    const object = "organization.project.api_key.deleted";
    return answer({ id, deleted: true, object } satisfies APIKeyDeleteResponse);
  }

  #listed(key: HeldKey): ProjectAPIKey {
    const account = this.serviceAccounts.find((one) => one.id === key.accountId);
    const created_at = this.#now();
    const named = { id: "user-1", name: "Ada", email: "ada@example.com", role: "member" };
    return {
      id: key.id,
      object: "organization.project.api_key",
      name: key.name,
      redacted_value: `${key.secret.slice(0, 12)}${"*".repeat(20)}${key.secret.slice(-4)}`,
      created_at,
      last_used_at: key.lastUsedAt,
      expires_at: key.expiresAt,
      owner_project_access: "active",
      owner:
        account === undefined
          ? { type: "user", user: { ...named, created_at } }
          : {
              type: "service_account",
              service_account: { id: account.id, name: account.name, role: "member", created_at },
            },
    } satisfies ProjectAPIKey;
  }

  #setSpendLimit(projectId: string, body: Readonly<Record<string, unknown>>): DoubleAnswer {
    if (this.unsupported.has("spend_limit")) return FORBIDDEN;
    const limit = {
      object: "project.spend_limit",
      currency: "USD",
      interval: "month",
      threshold_amount: Number(body["threshold_amount"]),
      enforcement: { status: "inactive" },
    } satisfies ProjectSpendLimit;
    this.spendLimits.set(projectId, limit);
    return answer(limit);
  }

  #setModels(projectId: string, body: Readonly<Record<string, unknown>>): DoubleAnswer {
    if (this.unsupported.has("models")) return FORBIDDEN;
    const permissions = {
      object: "project.model_permissions",
      mode: "allow_list",
      model_ids: body["model_ids"] as string[],
    } satisfies ProjectModelPermissions;
    this.modelPermissions.set(projectId, permissions);
    return answer(permissions);
  }

  #rateLimits(method: string, { projectId, id, search, body }: Asked): DoubleAnswer {
    if (this.unsupported.has("rate_limits")) return FORBIDDEN;
    const own = this.rateLimits.filter((one) => one.projectId === projectId);
    if (method === "GET") return page(own.map(withoutProject), search);
    const limit = own.find((one) => one.id === id);
    if (limit === undefined) return NOT_FOUND;
    Object.assign(limit, body);
    return answer(withoutProject(limit) satisfies ProjectRateLimit);
  }

  /** A call of a model, or the list of them. */
  #call({ authorization, body }: DoubleRequest, path: string): DoubleAnswer {
    const key = this.keys.find((one) => authorization === `Bearer ${one.secret}`);
    const isExpired = key?.expiresAt != null && key.expiresAt <= this.#now();
    if (path === "/models" && this.isModelListOpen) return answer({ object: "list", data: [] });
    if (key === undefined || isExpired) {
      this.refusedCalls += 1;
      return errorAnswer(401, "Incorrect API key provided", "invalid_api_key");
    }
    key.lastUsedAt = this.#now();
    key.calls += 1;
    const headers = { "openai-organization": "org-double", "openai-project": key.projectId };
    if (path === "/models") return answer({ object: "list", data: [] }, headers);
    const { model = "gpt-4o-mini" } = (body ?? {}) as { model?: string };
    return answer(completion(model), headers);
  }

  #next(): string {
    this.#count += 1;
    return String(this.#count).padStart(8, "0");
  }
}

interface Asked {
  readonly projectId: string;
  readonly id: string;
  readonly search: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
}

function completion(model: string) {
  return {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model,
    choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
    usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
  };
}

const NOT_FOUND = errorAnswer(404, "There is no such object");
const FORBIDDEN = errorAnswer(403, "This organization may not do that");

function answer(body: unknown, headers: Readonly<Record<string, string>> = {}): DoubleAnswer {
  return { status: 200, headers, body };
}

function errorAnswer(status: number, message: string, code: string | null = null): DoubleAnswer {
  const error = { message, type: "invalid_request_error", param: null, code };
  return { status, headers: {}, body: { error } };
}

/** Pages of two, so that whoever reads only the first is found out. */
function page(rows: readonly { readonly id: string }[], search: URLSearchParams): DoubleAnswer {
  const after = search.get("after");
  const start = after === null ? 0 : rows.findIndex(({ id }) => id === after) + 1;
  const data = rows.slice(start, start + 2);
  const isMore = start + 2 < rows.length;
  const ends = { first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
  return answer({ object: "list", data, has_more: isMore, ...ends });
}

function withoutProject<Row extends { readonly projectId: string }>(
  row: Row,
): Omit<Row, "projectId"> {
  const { projectId: _, ...rest } = row;
  return rest;
}

function remove<Item>(items: Item[], isMeant: (item: Item) => boolean): boolean {
  const index = items.findIndex(isMeant);
  if (index < 0) return false;
  items.splice(index, 1);
  return true;
}

/** Put together here, so that no scanner takes it for somebody's. */
function secretOf(prefix: string, number: number): string {
  const digits = String(number).padStart(6, "0");
  return `${prefix}-${digits}${"x".repeat(60)}${digits}`;
}
