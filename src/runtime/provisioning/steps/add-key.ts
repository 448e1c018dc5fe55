import { judgeSecret } from "../../../admin/judge-provider-key.ts";
import { insertJudged } from "../../../admin/provider-key-intake.ts";
import { enterProvisionState } from "../../../core/provisioning/provision.ts";
import { firstLateLook } from "../../../core/resumable/late-look.ts";
import { noted } from "../../../core/resumable/resumable.ts";
import type { ProvisionRecord } from "../../../store/provision-repository.ts";
import type { ProviderKeyRecord } from "../../../store/records.ts";
import { deleteNamed } from "../../rotation/remote-keys.ts";
import { finalTrouble, next, type Step, troubleOf } from "../../rotation/step.ts";
import { archiveMadeProjects, openProvisionDesk, unlessNew } from "../made-things.ts";

const WEIGHT = 1;

/**
 * The key becomes the environment's, in one transaction with the provision's own record, as any key that is added: by the
 * policy of the environment. Before that what other drivers have left behind under this name is cleared away.
 */
export const addKey: Step<ProvisionRecord> = async (deps, provision) => {
  const { secret, projectId, remoteName: name } = provision;
  if (secret?.sealed == null || projectId === null) return finalTrouble("there is no key");
  const { desk, found } = await openProvisionDesk(deps, provision);
  if (found.kind === "absent") return finalTrouble(found.problem);
  const kept = secret.remote;
  const leftover =
    (await deleteNamed(found.administration, { projectId, name, kept })) ??
    (await archiveMadeProjects(found.administration, provision, projectId));
  if (leftover !== undefined) {
    const failed = unlessNew(leftover, provision, deps.nowMs());
    return troubleOf(failed, "a leftover could not be cleared away");
  }
  const environment = await deps.store.environments.findById(provision.environmentId);
  if (environment === undefined) return finalTrouble("the environment is not there any more");
  const { account } = desk;
  const { ownership, fingerprint, version, sealed, preview } = secret;
  const judged = { account, ownership, fingerprint };
  const { twin, refusal, warnings } = await judgeSecret(deps.store, environment, judged);
  if (twin !== undefined) return finalTrouble(`somebody has added the key already, as ${twin.id}`);
  if (refusal !== undefined) return finalTrouble(refusal.message);
  const nowMs = deps.nowMs();
  const key: ProviderKeyRecord = {
    id: provision.keyId,
    accountId: provision.accountId,
    environmentId: provision.environmentId,
    name: provision.keyName,
    version,
    sealed,
    fingerprint,
    weight: WEIGHT,
    preview,
    createdAtMs: nowMs,
    revokedAtMs: null,
  };
  const text = `the key is the environment's (${key.id})`;
  let record: ProvisionRecord = { ...provision, secret: { ...secret, sealed: null } };
  for (const warning of warnings) record = noted(record, warning, nowMs);
  record = enterProvisionState(noted(record, text, nowMs), "done", nowMs);
  // The provider may make yet what it was asked for by a process that is dead.
  record = { ...record, lateLook: firstLateLook(nowMs) };
  return next(record, async (repositories) => {
    const added = await insertJudged(repositories, {
      account,
      environment,
      record: key,
      ownership,
    });
    // The policy was changed in this moment: it is asked again.
    if ("conflict" in added) return false;
    const about = { sinceMs: nowMs, ownership, remote: kept };
    await repositories.rotation.keyFacts.startSecret(key.id, about);
    return true;
  });
};
