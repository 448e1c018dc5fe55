import { judgeSecret, type SecretVerdict } from "../../../admin/judge-provider-key.ts";
import { type Ownership, ownershipOf, strongerOwnership } from "../../../core/keys/ownership.ts";
import { noted } from "../../../core/resumable/resumable.ts";
import { enterState } from "../../../core/rotation/rotation.ts";
import type { KeyAdministration } from "../../../providers/key-administration.ts";
import type { ProviderAccountRecord } from "../../../store/records.ts";
import type { RotationRecord, SecretVersion } from "../../../store/rotation-records.ts";
import { findAdministration, openDesk } from "../account-desk.ts";
import { findBySecret } from "../remote-keys.ts";
import { finalTrouble, next, type Step, type StepDeps, trouble, troubleOf } from "../step.ts";
import { isTooEarly, madeAnew } from "./made-anew.ts";

/** Finds out whose the new secret is, before anything uses it: a person's must not come into production by a rotation. */
export const identifyKey: Step = async (deps, rotation) => {
  const { next: fresh } = rotation;
  if (fresh === null) return finalTrouble("there is no new secret");
  const desk = await openDesk(deps, rotation.accountId);
  const found = await findAdministration(deps, desk);
  const byPrefix = desk.provider.ownershipOf?.({ secret: await openNext(deps, rotation) });
  let known: SecretVersion = { ...fresh, ownership: byPrefix ?? ownershipOf({}) };
  let record = rotation;
  if (found.kind === "ready") {
    const looked = await look(deps, found.administration, {
      rotation,
      projectId: desk.account.providerProjectId,
    });
    if (looked.kind === "done") {
      const { remote, ownership } = looked.value;
      known = { ...known, remote, ownership: strongerOwnership(known.ownership, ownership) };
    } else if (rotation.way === "automatic" && looked.kind === "missing") {
      const nowMs = deps.nowMs();
      return isTooEarly(rotation, nowMs) ? trouble(NOT_LISTED_YET) : madeAnew(rotation, nowMs);
    } else if (rotation.way === "automatic" || isWorthATry(looked, rotation)) {
      return troubleOf(looked, "the new key could not be looked up");
    } else {
      const text =
        "the provider does not list the new key: who owns it is told by its prefix alone";
      record = noted(record, text, deps.nowMs());
    }
  }
  const { account } = desk;
  const { ownership } = known;
  const { refusal, warnings } = await judgeNext(deps, rotation, { account, ownership });
  if (refusal !== undefined) return finalTrouble(refusal.message);
  for (const warning of warnings) record = noted(record, warning, deps.nowMs());
  return next(enterState({ ...record, next: known }, "test", deps.nowMs()));
};

async function look(
  deps: StepDeps,
  administration: KeyAdministration,
  {
    rotation,
    projectId,
  }: {
    readonly rotation: RotationRecord;
    readonly projectId: string | null;
  },
) {
  const remote = rotation.next?.remote ?? null;
  if (remote === null) {
    const listed = await findBySecret(administration, await openNext(deps, rotation), projectId);
    return listed.kind === "done"
      ? ({ kind: "done", value: described(listed.value) } as const)
      : listed;
  }
  const keys = await administration.listKeys(remote.projectId);
  if (keys.kind !== "done") return keys;
  const key = keys.value.find(({ keyId }) => keyId === remote.keyId);
  return key === undefined
    ? ({ kind: "missing" } as const)
    : ({ kind: "done", value: described(key) } as const);
}

const NOT_LISTED_YET = "the provider does not list the new key yet";
const MAX_TRIES = 3;

/** A secret that a person brought does not wait for long to be recognised: it may be a leaked one that it replaces. */
function isWorthATry({ kind }: { readonly kind: string }, { attempts }: RotationRecord): boolean {
  return kind === "trouble" && attempts < MAX_TRIES;
}

function described({
  keyId,
  projectId,
  serviceAccountId,
  owner,
}: {
  readonly keyId: string;
  readonly projectId: string;
  readonly serviceAccountId: string | null;
  readonly owner: Ownership["owner"];
}) {
  return {
    remote: { keyId, projectId, serviceAccountId },
    ownership: ownershipOf({ adminOwnerType: owner }),
  };
}

/** In clear; leaves the step that asked for it only towards its provider. */
export async function openNext(
  { vault }: Pick<StepDeps, "vault">,
  { next: fresh, keyId, environmentId }: RotationRecord,
): Promise<string> {
  if (fresh?.sealed == null) throw new Error("the new secret is not kept any more");
  const { sealed, version } = fresh;
  return await vault.open(sealed, { environmentId, secretId: keyId, version });
}

/** What the policy of its environment says to a rotation's new secret, as it would to a key that is added with it. */
export async function judgeNext(
  { store }: Pick<StepDeps, "store">,
  { environmentId, next: fresh }: Pick<RotationRecord, "environmentId" | "next">,
  {
    account,
    ownership,
  }: { readonly account: ProviderAccountRecord; readonly ownership: Ownership },
): Promise<SecretVerdict> {
  const environment = await store.environments.findById(environmentId);
  if (environment === undefined) throw new Error(`there is no environment ${environmentId}`);
  if (fresh === null) throw new Error("there is no new secret");
  const { fingerprint } = fresh;
  return await judgeSecret(store, environment, { account, ownership, fingerprint });
}
