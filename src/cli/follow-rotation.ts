import type { components } from "../admin/api-types.ts";
import { type AdminClient, expectData } from "../admin/client.ts";
import { heldRemedyOf, stolenRemedyOf } from "./describe-trouble.ts";
import { type FollowTo, followWork } from "./follow-work.ts";
import type { Output } from "./output.ts";

export type Rotation = components["schemas"]["Rotation"];

/** In these the new secret is the key's: what follows takes its time and needs nobody to look. */
const SWITCHED: ReadonlySet<Rotation["state"]> = new Set(["observe", "grace", "revoke"]);

export function followRotation(
  client: AdminClient,
  begun: Rotation,
  { untilEnd, ...to }: FollowTo & { readonly untilEnd: boolean },
): Promise<Rotation> {
  return followWork(begun, {
    ...to,
    read: async () =>
      expectData(await client.GET("/rotations/{id}", { params: { path: { id: begun.id } } })),
    isEnough: (now) => (!untilEnd && SWITCHED.has(now.state)) || waitsForUse(now),
  });
}

/** Nothing but a call of an application, or a person, can say that the new secret works. */
export function waitsForUse({ state, problem }: Rotation): boolean {
  return state === "observe" && problem !== null;
}

/** In words for people, of a rotation that is done. */
const OLD_SECRET_WORDS = {
  refused: "is refused by the provider",
  deleted: "is deleted at the provider",
  confirmed: "is deleted at the provider, as somebody says",
  valid: "is still valid at the provider",
  unknown: "may still be valid at the provider",
} as const;

function describeOldSecret(rotation: Rotation, output: Output): void {
  const { id, old, oldSecret, awaitsRevocation, keysPage } = rotation;
  const state = OLD_SECRET_WORDS[oldSecret ?? "unknown"];
  if (awaitsRevocation) {
    output.warn(
      `the stolen secret, ${old.preview}, ${state}: whoever has it calls on your account`,
    );
    output.note(`next: ${stolenRemedyOf({ rotationId: id, keysPage })}`);
    output.note("until then it is tried again by itself, and status and doctor remind you");
  } else if (oldSecret === "valid" || oldSecret === "unknown") {
    const where = keysPage === null ? "at the provider" : `at ${keysPage}`;
    output.warn(`delete the old key, ${old.preview}, ${where}: it ${state}`);
  } else {
    output.line(`the old one, ${old.preview}, ${state}`);
  }
}

/** What has come of it, and what is left to do. */
export function describeRotation(rotation: Rotation, output: Output): void {
  const what = `${rotation.key ?? rotation.keyId} of ${rotation.environment ?? "its environment"}`;
  if (rotation.state === "failed") {
    output.line(`the rotation of ${what} waits for you: ${rotation.problem ?? ""}`);
    if (rotation.held) output.note(heldRemedyOf({ kind: "rotation", id: rotation.id }));
    else output.note(`next: ${failedRemedyOf(rotation)}`);
    if (rotation.compromise) {
      output.note(`to end the key at once: keyward provider-keys revoke ${rotation.keyId}`);
    }
  } else if (rotation.state === "cancelled") {
    output.line(`the rotation of ${what} was called off: ${rotation.problem ?? ""}`);
  } else if (rotation.state === "done") {
    output.line(`${what} now has ${rotation.new?.preview ?? "its new secret"}`);
    describeOldSecret(rotation, output);
  } else {
    output.line(`the rotation of ${what} is in ${rotation.state} (${rotation.id})`);
    if (rotation.problem !== null) output.warn(rotation.problem);
    output.note(`the rest happens in the server: keyward rotations show ${rotation.id}`);
  }
}

/** Where a person brought the secret and it is not taken, another try of it helps least. */
function failedRemedyOf({ id, way, failedIn, canCancel }: Rotation): string {
  const retry = `keyward rotations retry ${id}`;
  const cancel = `keyward rotations cancel ${id}`;
  if (!canCancel) return retry;
  return way === "assisted" && (failedIn === "pending" || failedIn === "test")
    ? `${cancel}, then rotate with another secret; or, where it was not the secret's fault, ${retry}`
    : `${retry}, or ${cancel}`;
}
