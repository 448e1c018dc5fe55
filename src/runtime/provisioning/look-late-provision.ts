import type { KeyAddress } from "../../providers/key-administration.ts";
import type { ProvisionRecord } from "../../store/provision-repository.ts";
import { driveLateLook } from "../rotation/drive-late-look.ts";
import { cannotLook, deleteStrays, notNow, putOff } from "../rotation/late-finds.ts";
import { findNamed, type NamedThing } from "../rotation/remote-keys.ts";
import type { Driven, KindOfWork, RunStepDeps } from "../rotation/run-step.ts";
import type { Step, StepDeps } from "../rotation/step.ts";
import { listMadeProjects, openProvisionDesk } from "./made-things.ts";

const ENDED_PROVISIONS: KindOfWork<ProvisionRecord> = {
  what: "provision",
  afterTrouble: putOff,
  save: ({ rotation }, record) => rotation.provisions.save(record),
};

/**
 * Looks once more for what the provider made after a provision had ended: another service account with its key, or another
 * project. Whoever asked for it is dead, and nobody was told its secret.
 */
export async function lookLateAtProvision(
  deps: RunStepDeps,
  provision: ProvisionRecord,
): Promise<Driven<ProvisionRecord>> {
  return await driveLateLook(deps, provision, {
    kind: ENDED_PROVISIONS,
    look,
    told: "what the provider made after the end of a provision is deleted",
  });
}

const look: Step<ProvisionRecord> = async (deps, provision) => {
  const { found } = await openProvisionDesk(deps, provision);
  if (found.kind === "absent") return cannotLook(provision, found.problem);
  const { administration } = found;
  const projects = await listMadeProjects(administration, provision);
  if (projects.kind !== "done") return notNow(provision, projects);
  const keptId = provision.state === "done" ? provision.projectId : null;
  const strays: NamedThing[] = [];
  for (const { id } of projects.value) {
    if (id === keptId || (await keysInUse(deps, provision, id)).length > 0) continue;
    strays.push({ kind: "project", id });
  }
  if (keptId !== null) {
    const kept = await keysInUse(deps, provision, keptId);
    const name = { projectId: keptId, name: provision.remoteName };
    const named = await findNamed(administration, name, kept);
    // Somebody has archived it since: nothing can be called with its keys.
    if (named.kind !== "done" && named.kind !== "missing") return notNow(provision, named);
    if (named.kind === "done") strays.push(...named.value);
  }
  return await deleteStrays(administration, provision, { strays, nowMs: deps.nowMs });
};

/** What must not be deleted, whatever it is called. */
async function keysInUse(
  { store }: Pick<StepDeps, "store">,
  { state, secret }: ProvisionRecord,
  projectId: string,
): Promise<readonly KeyAddress[]> {
  const inUse = await store.rotation.keyFacts.listRemotes(projectId);
  const own = state === "done" ? secret?.remote : null;
  return own?.projectId === projectId ? [...inUse, own] : inUse;
}
