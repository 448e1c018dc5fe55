import createClient, { type Client } from "openapi-fetch";
import type { paths } from "./api-types.ts";
import { ADMIN_BASE_PATH } from "./base-path.ts";

/** A client whose paths, parameters, bodies and answers are typed by the API's own OpenAPI document. */
export type AdminClient = Client<paths, "application/json">;

export interface AdminClientOptions {
  /** Of the server, without `/api/v1`: `http://127.0.0.1:4141`. */
  readonly baseUrl: string;
  /** Absent in process, where the app trusts its caller. */
  readonly token?: string | undefined;
  /** Absent: the global one. In process: `(request) => app.fetch(request)`. */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined;
}

/** The one way to the admin API for the CLI, in process or over HTTP. */
export function createAdminClient({ baseUrl, token, fetch }: AdminClientOptions): AdminClient {
  return createClient<paths, "application/json">({
    baseUrl: `${baseUrl.replace(/\/+$/, "")}${ADMIN_BASE_PATH}`,
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
    ...(fetch === undefined ? {} : { fetch }),
  });
}

/** The admin API refused a request, or failed. `message` is for people. */
export class AdminApiError extends Error {
  readonly status: number;
  /** From the closed table of error codes; `unknown` when the answer was none of Keyward's. */
  readonly code: string;
  readonly param: string | null;
  readonly requestId: string | null;

  constructor(
    message: string,
    facts: Pick<AdminApiError, "status" | "code" | "param" | "requestId">,
  ) {
    super(message);
    this.name = "AdminApiError";
    this.status = facts.status;
    this.code = facts.code;
    this.param = facts.param;
    this.requestId = facts.requestId;
  }
}

/** What a client's call resolves to. */
export interface AdminAnswer<Data> {
  readonly data?: Data;
  readonly error?: unknown;
  readonly response: Response;
}

/** The data of an answer; throws AdminApiError for an error answer. `expectData(await client.GET("/projects"))`. */
export function expectData<Data>({ data, error, response }: AdminAnswer<Data>): NonNullable<Data> {
  if (response.ok && data !== undefined && data !== null) return data;
  const facts = readErrorBody(error);
  throw new AdminApiError(facts.message ?? `The server answered with status ${response.status}.`, {
    status: response.status,
    code: facts.code ?? "unknown",
    param: facts.param ?? null,
    requestId: response.headers.get("x-keyward-request-id"),
  });
}

/** What stands at the other end may be a proxy with a page of its own: nothing is taken for granted. */
function readErrorBody(body: unknown): { message?: string; code?: string; param?: string } {
  if (typeof body !== "object" || body === null || !("error" in body)) return {};
  const { error } = body;
  if (typeof error !== "object" || error === null) return {};
  const facts: { message?: string; code?: string; param?: string } = {};
  if ("message" in error && typeof error.message === "string") facts.message = error.message;
  if ("code" in error && typeof error.code === "string") facts.code = error.code;
  if ("param" in error && typeof error.param === "string") facts.param = error.param;
  return facts;
}
