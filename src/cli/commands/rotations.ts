import { expectData } from "../../admin/client.ts";
import { type CommandContext, defineCommand } from "../command.ts";
import { describeStolenSecret, stolenRemedyOf } from "../describe-trouble.ts";
import { describeRotation, followRotation, type Rotation } from "../follow-rotation.ts";
import { formatOptional, formatOptionalTime, formatTime } from "../format-cells.ts";
import { given } from "../given.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";
import { agree } from "../prompts.ts";

const EXAMPLE_ID = "rot_01JZ6Y4V2S8W3N5R7T9X0B1C2D";
const ID_ARGUMENT = { id: { description: "the rotation's id" } } as const;

const list = defineCommand({
  summary: "list rotations, newest first",
  details:
    "With --open, stolen secrets that are still to be deleted at their provider are told of as well: their rotations have ended.",
  examples: ["keyward rotations list", "keyward rotations list --open --json"],
  reach: "admin",
  printsData: true,
  options: {
    key: { value: "id", description: "only those of this provider key", param: "keyId" },
    open: { description: "only those that have not ended" },
    ...PAGE_OPTIONS,
  },
  async run(context) {
    await printPage(context, {
      what: context.options.open ? "open rotations" : "rotations",
      fetch(client, page) {
        const { key, open } = context.options;
        const query = {
          ...page,
          ...given({ keyId: key, open: open ? ("true" as const) : undefined }),
        };
        return client.GET("/rotations", { params: { query } });
      },
      columns: () => [
        { title: "key", value: (rotation) => rotation.key ?? rotation.keyId },
        { title: "environment", value: (rotation) => formatOptional(rotation.environment) },
        { title: "state", value: formatState },
        { title: "way", value: (rotation) => rotation.way },
        { title: "old secret", value: formatOldSecret },
        { title: "begun", value: (rotation) => formatTime(rotation.createdAt) },
        { title: "ended", value: (rotation) => formatOptionalTime(rotation.endedAt) },
        { title: "id", value: (rotation) => rotation.id },
      ],
    });
    const { open, key } = context.options;
    if (open) await tellOfStolen(context, key);
  },
});

/** Of rotations that have ended, and left a person something to do. */
async function tellOfStolen(
  { admin, output }: Pick<CommandContext, "admin" | "output">,
  keyId: string | undefined,
): Promise<void> {
  const { stolenSecrets } = expectData(await (await admin()).GET("/status"));
  for (const stolen of stolenSecrets) {
    if (keyId !== undefined && stolen.keyId !== keyId) continue;
    output.warn(`${describeStolenSecret(stolen)}: ${stolenRemedyOf(stolen)}`);
  }
}

const show = defineCommand({
  summary: "show a rotation: what was done, what is in the way",
  examples: [`keyward rotations show ${EXAMPLE_ID}`, `keyward rotations show ${EXAMPLE_ID} --wait`],
  reach: "admin",
  printsData: true,
  arguments: ID_ARGUMENT,
  options: { wait: { description: "wait until it has ended" } },
  async run({ admin, arguments: { id }, io, options, output }) {
    const client = await admin();
    let rotation = expectData(await client.GET("/rotations/{id}", { params: { path: { id } } }));
    if (options.wait) {
      rotation = await followRotation(client, rotation, {
        output,
        stopped: io.stopped,
        untilEnd: true,
      });
    }
    await output.data(rotation, () => {
      output.facts([
        [
          "key",
          `${rotation.key ?? rotation.keyId} of ${rotation.environment ?? "its environment"}`,
        ],
        ["state", formatState(rotation)],
        ["way", `${rotation.way}${rotation.compromise ? ", compromise" : ""}`],
        ["old secret", `${rotation.old.preview} (version ${rotation.old.version})`],
        ["is now", formatOldSecret(rotation)],
        ["new secret", rotation.new === null ? "none yet" : rotation.new.preview],
        ["in use since", formatOptionalTime(rotation.activatedAt)],
        ["both until", formatOptionalTime(rotation.graceUntil)],
        ["in the way", formatOptional(rotation.problem)],
        ["next try", formatOptionalTime(rotation.nextAttemptAt)],
      ]);
      if (rotation.awaitsRevocation) describeRotation(rotation, output);
      output.line();
      for (const { at, state, text } of rotation.notes) {
        output.line(`${formatTime(at)}  ${state}: ${text}`);
      }
    });
  },
});

const retry = defineCommand({
  summary: "go on with a rotation that failed, or waits for its next try, now",
  details:
    "One that was under way in a backup, and is on hold since that was restored, goes on with --original-gone alone: where the installation of the backup is alive, what it has made at the provider would be deleted.",
  examples: [
    `keyward rotations retry ${EXAMPLE_ID}`,
    `keyward rotations retry ${EXAMPLE_ID} --original-gone`,
  ],
  reach: "admin",
  printsData: true,
  arguments: ID_ARGUMENT,
  options: {
    "original-gone": {
      description: "the installation of the backup that was restored is gone for good",
    },
  },
  async run({ admin, arguments: { id }, io, options, output }) {
    const client = await admin();
    const params = { path: { id } };
    const originalGone = options["original-gone"];
    const begun = expectData(
      await client.POST("/rotations/{id}/retry", { params, body: { originalGone } }),
    );
    const followed = await followRotation(client, begun, {
      output,
      stopped: io.stopped,
      untilEnd: false,
    });
    await output.data(followed, () => describeRotation(followed, output));
  },
});

const cancel = defineCommand({
  summary: "call a rotation off: back to the old secret",
  details:
    "Until the old secret is being revoked. Where Keyward had the new key made, it is deleted at the provider after the time in which both are kept.",
  examples: [`keyward rotations cancel ${EXAMPLE_ID}`],
  reach: "admin",
  printsData: true,
  arguments: ID_ARGUMENT,
  async run({ admin, arguments: { id }, output }) {
    const client = await admin();
    const params = { path: { id } };
    const rotation = expectData(await client.POST("/rotations/{id}/cancel", { params }));
    await output.data(rotation, () => describeRotation(rotation, output));
  },
});

const revokeOld = defineCommand({
  summary: "have the old secret revoked now, also where the new one was not seen to work",
  details:
    "For a rotation that waits for the first call with the new secret, or for the end of the grace. There is no way back; where the new secret does not work, calls fail from then on.",
  examples: [`keyward rotations revoke-old ${EXAMPLE_ID}`],
  reach: "admin",
  printsData: true,
  arguments: ID_ARGUMENT,
  options: { yes: { description: "do not ask" } },
  async run({ admin, arguments: { id }, io, options, output }) {
    const client = await admin();
    const params = { path: { id } };
    const { old, key, keyId, verified } = expectData(
      await client.GET("/rotations/{id}", { params }),
    );
    const doubt = verified ? "" : " The new one was not seen to work.";
    const question = `Revoke the old secret ${old.preview} of ${key ?? keyId}?${doubt}`;
    await agree({ io, isAgreed: options.yes }, question);
    const rotation = expectData(await client.POST("/rotations/{id}/revoke-old", { params }));
    await output.data(rotation, () => describeRotation(rotation, output));
  },
});

const confirmRevoked = defineCommand({
  summary: "say that an old secret is deleted at its provider",
  details:
    "For a rotation that could not see the old secret end. After one with --compromise, status and doctor remind of it until it is deleted there; after another one, where it has leaked since. A secret that is still kept is tried first, and while the provider takes it this is refused.",
  examples: [`keyward rotations confirm-revoked ${EXAMPLE_ID}`],
  reach: "admin",
  printsData: true,
  arguments: ID_ARGUMENT,
  async run({ admin, arguments: { id }, output }) {
    const client = await admin();
    const params = { path: { id } };
    const rotation = expectData(await client.POST("/rotations/{id}/confirm-revoked", { params }));
    await output.data(rotation, () => describeRotation(rotation, output));
  },
});

function formatOldSecret({ state, oldSecret, awaitsRevocation }: Rotation): string {
  if (awaitsRevocation) return `${oldSecret ?? "unknown"}: delete it`;
  return state === "done" ? formatOptional(oldSecret) : "";
}

function formatState({ state, failedIn }: Rotation): string {
  return failedIn === null ? state : `${state} in ${failedIn}`;
}

export const rotations = {
  list,
  show,
  retry,
  cancel,
  "revoke-old": revokeOld,
  "confirm-revoked": confirmRevoked,
};
