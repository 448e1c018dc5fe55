import type {
  AdministrationAnswer,
  AdministrationDeps,
  JsonQuestion,
} from "../key-administration.ts";

/** More objects than any organization has of a kind. */
const MAX_PAGES = 100;
const PAGE_SIZE = 100;
const MAX_MESSAGE_CHARACTERS = 300;

type Fields = Readonly<Record<string, unknown>>;

/**
 * The requests of OpenAI's Admin API. What it answers is read field by field: what is not there, or is not what it should
 * be, makes the answer a trouble, never a half-read object.
 * Source: "Administration" in OpenAI's API reference, and the types of the official client (`resources/admin`).
 */
export class OpenaiAdminApi {
  readonly #deps: AdministrationDeps;

  constructor(deps: AdministrationDeps) {
    this.#deps = deps;
  }

  /** One request. `read` returns undefined for an answer in another form than was expected. */
  async request<Value>(
    { method, path, body }: Pick<JsonQuestion, "method" | "body"> & { readonly path: string },
    read: (fields: Fields) => Value | undefined,
  ): Promise<AdministrationAnswer<Value>> {
    const { secret, baseUrl, ask } = this.#deps;
    const reply = await ask({
      method,
      url: `${baseUrl}/organization${path}`,
      headers: [["authorization", `Bearer ${secret}`]],
      ...(body === undefined ? {} : { body }),
    });
    if (reply.kind === "unreachable") return { kind: "trouble", problem: reply.problem };
    const { status, retryAfterMs } = reply;
    if (status === 404) return { kind: "missing" };
    if (status === 429 || status === 408 || status === 409 || status >= 500) {
      const problem = `OpenAI answered ${status} to ${method} ${shortened(path)}`;
      return { kind: "trouble", problem, retryAfterMs };
    }
    if (status < 200 || status >= 300) {
      return { kind: "refused", status, problem: describeRefusal(status, reply.body) };
    }
    const value = isFields(reply.body) ? read(reply.body) : undefined;
    if (value !== undefined) return { kind: "done", value };
    const problem = `OpenAI's answer to ${method} ${shortened(path)} could not be read`;
    return { kind: "trouble", problem };
  }

  /** Every object of a list, page after page. */
  async list<Item>(
    path: string,
    query: Readonly<Record<string, string>>,
    read: (fields: Fields) => Item | undefined,
  ): Promise<AdministrationAnswer<readonly Item[]>> {
    const items: Item[] = [];
    let after: string | undefined;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const search = new URLSearchParams({ limit: String(PAGE_SIZE), ...query });
      if (after !== undefined) search.set("after", after);
      const answer = await this.request(
        { method: "GET", path: `${path}?${search.toString()}` },
        (fields) => readPage(fields, read),
      );
      if (answer.kind !== "done") return answer;
      items.push(...answer.value.items);
      after = answer.value.nextAfter;
      if (after === undefined) return { kind: "done", value: items };
    }
    return { kind: "trouble", problem: `OpenAI's list ${shortened(path)} does not end` };
  }
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function readText(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === "string" ? value : undefined;
}

export function readNumber(fields: Fields, name: string): number | null {
  const value = fields[name];
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** Seconds since the epoch as ms; null where there is none. */
export function readSeconds(fields: Fields, name: string): number | null {
  const seconds = readNumber(fields, name);
  return seconds === null ? null : seconds * 1000;
}

/** The path of an object by its id, which the provider made and which is no reason to trust it. */
export function pathOf(...parts: readonly string[]): string {
  return parts.map((part) => `/${encodeURIComponent(part)}`).join("");
}

function readPage<Item>(fields: Fields, read: (fields: Fields) => Item | undefined) {
  const { data } = fields;
  if (!Array.isArray(data)) return undefined;
  const items: Item[] = [];
  for (const one of data as readonly unknown[]) {
    const item = isFields(one) ? read(one) : undefined;
    if (item === undefined) return undefined;
    items.push(item);
  }
  const last = (data as readonly unknown[]).at(-1);
  const lastId = readText(fields, "last_id") ?? (isFields(last) ? readText(last, "id") : undefined);
  const hasMore = fields["has_more"] === true && lastId !== undefined && items.length > 0;
  return { items, nextAfter: hasMore ? lastId : undefined };
}

/** What OpenAI says, for people. Secrets that it quotes have been taken out by whoever asked. */
function describeRefusal(status: number, body: unknown): string {
  const error = isFields(body) && isFields(body["error"]) ? body["error"] : undefined;
  const message = error === undefined ? undefined : readText(error, "message");
  const said = message === undefined ? "" : `: ${message.slice(0, MAX_MESSAGE_CHARACTERS)}`;
  return `OpenAI answered ${status}${said}`;
}

function shortened(path: string): string {
  return path.replace(/\?.*$/, "");
}
