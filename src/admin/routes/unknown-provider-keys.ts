import { createRoute, z } from "@hono/zod-openapi";
import { KEY_OWNERS } from "../../core/keys/ownership.ts";
import { canBeOneSecret } from "../../core/keys/redacted-secret.ts";
import type { KeyAdministration, ListedKey } from "../../providers/key-administration.ts";
import type { ProviderAccountRecord } from "../../store/records.ts";
import { MAX_PAGE_SIZE, type PageRequest } from "../../store/store.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { jsonAnswer } from "../answers/json-content.ts";
import { errorAnswers, refuse } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { formatInstant, formatOptionalInstant, instantAnswer } from "../fields/instants.ts";
import { idParam } from "../fields/names.ts";
import { findAccount } from "../references.ts";

const unknownKeySchema = z
  .object({
    providerKeyId: z.string().openapi({ description: "What the provider calls it." }),
    name: z.string(),
    preview: z.string().openapi({ description: "What the provider shows of the secret." }),
    project: z.string().openapi({ description: "The name of its project at the provider." }),
    owner: z.enum(KEY_OWNERS),
    ownerName: z.string().nullable(),
    createdAt: instantAnswer("When it was made."),
    lastUsedAt: instantAnswer("When it was last used; null: never.").nullable(),
    expiresAt: instantAnswer("When it ends by itself; null: not.").nullable(),
  })
  .openapi("UnknownProviderKey");

const listUnknownKeys = createRoute({
  method: "get",
  path: "/provider-accounts/{id}/unknown-keys",
  operationId: "listUnknownProviderKeys",
  tags: ["provider accounts"],
  summary: "List the keys that the provider has and Keyward does not know",
  description:
    "Asks the provider, with the account's admin key. A key counts as known when its id, or what is shown of its secret, is that of a provider key in use, of this account or another one of the same organization.",
  request: { params: idParam("acc_01JZ6Y4V2S8W3N5R7T9X0B1C2D"), query: closedQuery({}) },
  responses: {
    200: jsonAnswer(
      "The keys, the one used last first.",
      z.object({ data: z.array(unknownKeySchema) }).openapi("UnknownProviderKeyList"),
    ),
    ...errorAnswers("not_found", "conflict"),
  },
});

export function registerUnknownProviderKeys(
  router: AdminRouter,
  deps: Pick<AdminDeps, "store" | "keyDesk">,
): void {
  router.openapi(listUnknownKeys, async (context) => {
    const account = await findAccount(deps.store, context.req.valid("param").id);
    if (!account) return refuse(context, "not_found", NO_ACCOUNT, "id");
    const found = await deps.keyDesk.administrationOf(account);
    if (found.kind === "absent") return refuse(context, "conflict", `${found.problem}.`, "id");
    const listed = await askForKeys(found.administration);
    if ("problem" in listed) {
      return refuse(context, "conflict", `The provider did not say: ${listed.problem}.`, "id");
    }
    const isKnown = await knownBy(deps, account);
    const data = listed.keys
      .filter(({ key }) => !isKnown(key))
      .toSorted((one, other) => (other.key.lastUsedAtMs ?? 0) - (one.key.lastUsedAtMs ?? 0))
      .map(({ key, project }) => ({
        providerKeyId: key.keyId,
        name: key.name,
        preview: key.redactedValue,
        project,
        owner: key.owner,
        ownerName: key.ownerName,
        createdAt: formatInstant(key.createdAtMs),
        lastUsedAt: formatOptionalInstant(key.lastUsedAtMs),
        expiresAt: formatOptionalInstant(key.expiresAtMs),
      }));
    return context.json({ data }, 200);
  });
}

const NO_ACCOUNT =
  "There is no provider account of this id or name. See `keyward provider-accounts list`.";

interface FoundKey {
  readonly key: ListedKey;
  readonly project: string;
}

async function askForKeys(
  administration: KeyAdministration,
): Promise<{ readonly keys: readonly FoundKey[] } | { readonly problem: string }> {
  const projects = await administration.listProjects();
  if (projects.kind !== "done") return { problem: problemOf(projects) };
  const found: FoundKey[] = [];
  for (const { id, name } of projects.value) {
    const keys = await administration.listKeys(id);
    if (keys.kind !== "done") return { problem: problemOf(keys) };
    found.push(...keys.value.map((key) => ({ key, project: name })));
  }
  return { keys: found };
}

function problemOf(answer: { readonly kind: string; readonly problem?: string }): string {
  return answer.problem ?? "what was asked for is not there";
}

async function knownBy(
  { store }: Pick<AdminDeps, "store">,
  account: ProviderAccountRecord,
): Promise<(key: ListedKey) => boolean> {
  const ids = new Set<string>();
  const previews: string[] = [];
  const accounts = await listAll((page) => store.providerAccounts.list(page));
  for (const { id: accountId } of accounts.filter((one) => mayBeOneOrganization(account, one))) {
    const keys = await listAll((page) => store.providerKeys.list(page, { accountId }));
    const active = keys.filter(({ revokedAtMs }) => revokedAtMs === null);
    const facts = await store.rotation.keyFacts.ofAll(active.map(({ id }) => id));
    for (const { id, preview } of active) {
      const remote = facts.get(id)?.remote ?? null;
      if (remote === null) previews.push(preview);
      else ids.add(remote.keyId);
    }
  }
  return ({ keyId, redactedValue }) =>
    ids.has(keyId) || previews.some((preview) => canBeOneSecret(preview, redactedValue));
}

/** An organization may have several accounts here: one for each project, or for each team. */
function mayBeOneOrganization(one: ProviderAccountRecord, other: ProviderAccountRecord): boolean {
  if (one.id === other.id) return true;
  const [ours, theirs] = [one.organizationId, other.organizationId];
  return (
    one.provider === other.provider &&
    one.baseUrl === other.baseUrl &&
    (ours === null || theirs === null || ours === theirs)
  );
}

async function listAll<Row>(
  list: (page: PageRequest) => Promise<{
    readonly rows: readonly Row[];
    readonly nextCursor: string | null;
  }>,
): Promise<readonly Row[]> {
  const found: Row[] = [];
  let cursor: string | null = null;
  do {
    const page = await list({ limit: MAX_PAGE_SIZE, ...(cursor === null ? {} : { cursor }) });
    found.push(...page.rows);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return found;
}
