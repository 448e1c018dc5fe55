import type {
  AdministrationAnswer,
  KeyAdministration,
  NamedObject,
} from "../../providers/key-administration.ts";
import type { ProvisionRecord } from "../../store/provision-repository.ts";
import {
  type AccountDesk,
  type FoundAdministration,
  findAdministration,
  openDesk,
} from "../rotation/account-desk.ts";
import type { StepDeps } from "../rotation/step.ts";
import { MAX_UNKNOWN_MS } from "../rotation/steps/made-anew.ts";

type Failed = Exclude<AdministrationAnswer<unknown>, { readonly kind: "done" }>;

/** The account of a provision, and its provider's management of keys. */
export async function openProvisionDesk(
  deps: StepDeps,
  { accountId }: Pick<ProvisionRecord, "accountId">,
): Promise<{ readonly desk: AccountDesk; readonly found: FoundAdministration }> {
  const desk = await openDesk(deps, accountId);
  return { desk, found: await findAdministration(deps, desk) };
}

/** The projects of a provision's name: one, or more where two drivers made one at once. The first is the same for both. */
export async function listMadeProjects(
  administration: KeyAdministration,
  { remoteName }: Pick<ProvisionRecord, "remoteName">,
): Promise<AdministrationAnswer<readonly NamedObject[]>> {
  const projects = await administration.listProjects();
  if (projects.kind !== "done") return projects;
  const made = projects.value
    .filter(({ name }) => name === remoteName)
    .toSorted((one, other) => (one.id < other.id ? -1 : 1));
  return { kind: "done", value: made };
}

/**
 * The ids of all projects of a provision that are in use, also of the one that was written down and is in no list yet: a
 * list may lag behind what was made.
 */
export async function findMadeProjects(
  administration: KeyAdministration,
  provision: Pick<ProvisionRecord, "remoteName" | "projectId" | "stateSinceMs">,
  nowMs: number,
): Promise<AdministrationAnswer<readonly string[]>> {
  const { projectId } = provision;
  const listed = await listMadeProjects(administration, provision);
  if (listed.kind !== "done") return listed;
  const ids = listed.value.map(({ id }) => id);
  if (projectId === null || ids.includes(projectId)) return { kind: "done", value: ids };
  const written = await administration.findProject(projectId);
  if (written.kind === "done") {
    return { kind: "done", value: written.value.isArchived ? ids : [...ids, projectId] };
  }
  const failed = unlessNew(written, provision, nowMs);
  return failed.kind === "missing" ? { kind: "done", value: ids } : failed;
}

/** Archives the projects of a provision's name but `keptId`; keys in them are refused from then on. */
export async function archiveMadeProjects(
  administration: KeyAdministration,
  provision: Pick<ProvisionRecord, "remoteName">,
  keptId: string,
): Promise<Failed | undefined> {
  const made = await listMadeProjects(administration, provision);
  if (made.kind !== "done") return made;
  for (const { id } of made.value) {
    if (id === keptId) continue;
    const archived = await administration.archiveProject(id);
    if (archived.kind === "trouble" || archived.kind === "refused") return archived;
  }
  return undefined;
}

/** A project that was just made is not known to all of a provider's machines: what is in it is asked for again. */
export function unlessNew(
  answer: Failed,
  { stateSinceMs }: Pick<ProvisionRecord, "stateSinceMs">,
  nowMs: number,
): Failed {
  if (answer.kind !== "missing" || nowMs - stateSinceMs >= MAX_UNKNOWN_MS) return answer;
  return { kind: "trouble", problem: "the provider does not know the new project everywhere yet" };
}
