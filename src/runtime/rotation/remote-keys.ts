import { isShownAs } from "../../core/keys/redacted-secret.ts";
import type {
  AdministrationAnswer,
  KeyAddress,
  KeyAdministration,
  ListedKey,
} from "../../providers/key-administration.ts";

/** Begins the names of what Keyward makes at a provider, so that people there know what it is. */
const OWN_NAME_PREFIX = "keyward-";

type Failed = Exclude<AdministrationAnswer<unknown>, { readonly kind: "done" }>;

/**
 * The key that a secret is of, by what its provider shows of it. `missing`: none looks like it, or more than one does, and
 * none is to be deleted for the likeness of another.
 */
export async function findBySecret(
  administration: KeyAdministration,
  secret: string,
  projectId: string | null,
): Promise<AdministrationAnswer<ListedKey>> {
  const projectIds = await projectsToSearch(administration, projectId);
  if (projectIds.kind !== "done") return projectIds;
  const found: ListedKey[] = [];
  for (const id of projectIds.value) {
    const keys = await administration.listKeys(id);
    if (keys.kind !== "done") return keys;
    found.push(...keys.value.filter(({ redactedValue }) => isShownAs(secret, redactedValue)));
  }
  const [only] = found;
  return only === undefined || found.length > 1
    ? { kind: "missing" }
    : { kind: "done", value: only };
}

async function projectsToSearch(
  administration: KeyAdministration,
  projectId: string | null,
): Promise<AdministrationAnswer<readonly string[]>> {
  if (projectId !== null) return { kind: "done", value: [projectId] };
  const projects = await administration.listProjects();
  if (projects.kind !== "done") return projects;
  return { kind: "done", value: projects.value.map(({ id }) => id) };
}

/** A name of ours at the provider: no other rotation or provision has it. */
interface OwnName {
  readonly projectId: string;
  readonly name: string;
}

/** What has such a name there: a service account with its keys, or a key in an account of another name. */
export type NamedThing =
  | { readonly kind: "serviceAccount"; readonly id: string; readonly projectId: string }
  | { readonly kind: "key"; readonly id: string; readonly key: KeyAddress }
  /** With all that is in it. */
  | { readonly kind: "project"; readonly id: string };

/**
 * Deletes every key and service account of this name, but for the key `kept`: what a process has made that died before it
 * could write down what. Undefined when nothing of it is left.
 */
export async function deleteNamed(
  administration: KeyAdministration,
  { kept, ...name }: OwnName & { readonly kept: KeyAddress | null },
): Promise<Failed | undefined> {
  const found = await findNamed(administration, name, kept === null ? [] : [kept]);
  if (found.kind !== "done") return found;
  for (const thing of found.value) {
    const deleted = await deleteThing(administration, thing);
    if (isFailed(deleted)) return deleted;
  }
  return undefined;
}

/** All of this name but what one of the keys `kept` is, or is in. */
export async function findNamed(
  administration: KeyAdministration,
  { projectId, name }: OwnName,
  kept: readonly KeyAddress[],
): Promise<AdministrationAnswer<readonly NamedThing[]>> {
  const accounts = await administration.listServiceAccounts(projectId);
  if (accounts.kind !== "done") return accounts;
  const keys = await administration.listKeys(projectId);
  if (keys.kind !== "done") return keys;
  const keptIds = new Set(kept.flatMap(({ keyId, serviceAccountId }) => [keyId, serviceAccountId]));
  const isMeant = (one: { readonly name: string }, id: string) =>
    one.name === name && !keptIds.has(id);
  const namedAccounts = accounts.value.filter((one) => isMeant(one, one.id));
  // They go with their accounts.
  const accountIds = new Set<string | null>(namedAccounts.map(({ id }) => id));
  const namedKeys = keys.value.filter(
    (one) => isMeant(one, one.keyId) && !accountIds.has(one.serviceAccountId),
  );
  const things: NamedThing[] = [
    ...namedAccounts.map(({ id }) => ({ kind: "serviceAccount", id, projectId }) as const),
    ...namedKeys.map((key) => ({ kind: "key", id: key.keyId, key }) as const),
  ];
  return { kind: "done", value: things };
}

export async function deleteThing(
  administration: KeyAdministration,
  thing: NamedThing,
): Promise<AdministrationAnswer<null>> {
  if (thing.kind === "key") return await administration.deleteKey(thing.key);
  if (thing.kind === "project") return await administration.archiveProject(thing.id);
  return await administration.deleteServiceAccount(thing.projectId, thing.id);
}

/**
 * Deletes a key; where the provider deletes none of a service account by itself, the account with it, if that has no other
 * key. `keptAccountId`: the account that must stay. Undefined when the key is gone.
 */
export async function deleteRemoteKey(
  administration: KeyAdministration,
  key: KeyAddress,
  keptAccountId: string | null,
): Promise<Failed | undefined> {
  const deleted = await administration.deleteKey(key);
  const accountId = key.serviceAccountId;
  if (deleted.kind === "trouble") return deleted;
  if (accountId === null || accountId === keptAccountId) {
    return isFailed(deleted) ? deleted : undefined;
  }
  const isGone = !isFailed(deleted);
  const removal = await removeLoneAccount(administration, key, { accountId, isGone });
  return isGone ? undefined : (removal ?? undefined);
}

/** An account that is left without a key is deleted when Keyward made it; one whose key can't be deleted alone, too. */
async function removeLoneAccount(
  administration: KeyAdministration,
  { projectId, keyId }: KeyAddress,
  { accountId, isGone }: { readonly accountId: string; readonly isGone: boolean },
): Promise<Failed | undefined> {
  const [accounts, keys] = [
    await administration.listServiceAccounts(projectId),
    await administration.listKeys(projectId),
  ];
  if (accounts.kind !== "done") return accounts;
  if (keys.kind !== "done") return keys;
  const account = accounts.value.find(({ id }) => id === accountId);
  if (account === undefined) return undefined;
  const others = keys.value.filter(
    (one) => one.serviceAccountId === accountId && one.keyId !== keyId,
  );
  if (others.length > 0) {
    const problem = `the key cannot be deleted by itself, and its service account has ${others.length} more`;
    return isGone ? undefined : { kind: "refused", status: 0, problem };
  }
  if (isGone && !account.name.startsWith(OWN_NAME_PREFIX)) return undefined;
  const deleted = await administration.deleteServiceAccount(projectId, accountId);
  return isFailed(deleted) ? deleted : undefined;
}

/** What is not there needs no deletion. */
export function isFailed(
  answer: AdministrationAnswer<unknown>,
): answer is Exclude<Failed, { kind: "missing" }> {
  return answer.kind === "trouble" || answer.kind === "refused";
}
