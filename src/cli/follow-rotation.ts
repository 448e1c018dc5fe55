import { setTimeout as delay } from "node:timers/promises";
import type { components } from "../admin/api-types.ts";
import { type AdminClient, expectData } from "../admin/client.ts";
import type { Output } from "./output.ts";

export type Rotation = components["schemas"]["Rotation"];

const POLL_MS = 500;
/** In these the new secret is the key's: what follows takes its time and needs nobody to look. */
const SWITCHED: ReadonlySet<Rotation["state"]> = new Set(["observe", "grace", "revoke"]);

/**
 * Tells how a rotation goes as it goes, until it has ended, waits for a person, or (unless `untilEnd`) makes calls with its
 * new secret. Being stopped ends the telling, not the rotation.
 */
export async function followRotation(
  client: AdminClient,
  begun: Rotation,
  {
    output,
    stopped,
    untilEnd,
  }: { readonly output: Output; readonly stopped: AbortSignal; readonly untilEnd: boolean },
): Promise<Rotation> {
  let rotation = begun;
  let told = 0;
  for (;;) {
    const notes = rotation.notes.slice(told);
    told = rotation.notes.length;
    for (const { state, text } of notes) output.note(`${state}: ${text}`);
    if (rotation.endedAt !== null || rotation.state === "failed") return rotation;
    if (!untilEnd && SWITCHED.has(rotation.state)) return rotation;
    try {
      await delay(POLL_MS, undefined, { signal: stopped });
    } catch {
      return rotation; // Recovered from: whoever pressed Control-C is told what goes on without them.
    }
    const params = { path: { id: begun.id } };
    rotation = expectData(await client.GET("/rotations/{id}", { params }));
  }
}

/** What has come of it, and what is left to do. */
export function describeRotation(rotation: Rotation, output: Output): void {
  const what = `${rotation.key ?? rotation.keyId} of ${rotation.environment ?? "its environment"}`;
  if (rotation.state === "failed") {
    output.line(`the rotation of ${what} waits for you: ${rotation.problem ?? ""}`);
    output.note(
      `next: keyward rotations retry ${rotation.id}${rotation.canCancel ? `, or keyward rotations cancel ${rotation.id}` : ""}`,
    );
  } else if (rotation.state === "cancelled") {
    output.line(`the rotation of ${what} was called off: ${rotation.problem ?? ""}`);
  } else if (rotation.state === "done") {
    output.line(`${what} now has ${rotation.new?.preview ?? "its new secret"}`);
    if (rotation.oldSecret === "refused") {
      output.line(`the old one, ${rotation.old.preview}, is refused by the provider`);
    } else {
      output.warn(`delete the old key, ${rotation.old.preview}, at the provider`);
    }
  } else {
    output.line(`the rotation of ${what} is in ${rotation.state} (${rotation.id})`);
    output.note(`the rest happens in the server: keyward rotations show ${rotation.id}`);
  }
}
