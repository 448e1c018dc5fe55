import { expectData } from "../../admin/client.ts";
import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { describeRotation, followRotation, waitsForUse } from "../follow-rotation.ts";
import { given } from "../given.ts";
import { parseCount } from "../parse-count.ts";
import { readSecret, SECRET_OPTIONS } from "../read-secret.ts";

export const rotateProviderKey = defineCommand({
  summary: "give a provider key another secret, without a call that fails",
  details:
    "With --automatic the provider is asked for the new secret; else you make one at the provider and type it here. The new secret is tried, then used; the old one is revoked after it was seen to work, and after a time in which both are valid. With --compromise there is no such time. Control-C ends the watching, not the rotation.",
  examples: [
    "keyward provider-keys rotate pky_01JZ6Y4V2S8W3N5R7T9X0B1C2D --automatic",
    "keyward provider-keys rotate pky_01JZ6Y4V2S8W3N5R7T9X0B1C2D",
    "keyward provider-keys rotate pky_01JZ6Y4V2S8W3N5R7T9X0B1C2D --secret-stdin < new-key.txt",
    "keyward provider-keys rotate pky_01JZ6Y4V2S8W3N5R7T9X0B1C2D --automatic --compromise",
    "keyward provider-keys rotate pky_01JZ6Y4V2S8W3N5R7T9X0B1C2D --automatic --grace-seconds 86400 --wait",
  ],
  reach: "admin",
  printsData: true,
  arguments: { id: { description: "the provider key's id" } },
  options: {
    automatic: { description: "ask the provider for the new secret, with the account's admin key" },
    compromise: { description: "the old secret is in wrong hands: revoke it as soon as it can be" },
    observeSeconds: {
      value: "seconds",
      description: "wait so long for the first use where nobody calls",
    },
    graceSeconds: {
      value: "seconds",
      description: "keep both secrets so long after the new one was seen in use",
    },
    wait: { description: "wait until the old secret is revoked" },
    ...SECRET_OPTIONS,
  },
  async run({ admin, arguments: { id }, io, options, output }) {
    const { automatic, compromise, observeSeconds, graceSeconds } = options;
    if (automatic && (options.secretStdin || options.secretEnv !== undefined)) {
      throw new CliError("--automatic asks the provider for the secret: do not give one", {
        isUsage: true,
      });
    }
    const seconds = given({
      observeSeconds: secondsOf(observeSeconds, "--observe-seconds"),
      graceSeconds: secondsOf(graceSeconds, "--grace-seconds"),
    });
    const client = await admin();
    const params = { path: { id } };
    const key = expectData(await client.GET("/provider-keys/{id}", { params }));
    const question = `New secret for ${key.name} of ${key.environment ?? key.environmentId}: `;
    const secret = automatic ? undefined : await readSecret(io, options, question);
    const body = { ...given({ secret }), ...seconds, compromise };
    const begun = expectData(await client.POST("/provider-keys/{id}/rotate", { params, body }));
    const followed = await followRotation(client, begun, {
      output,
      stopped: io.stopped,
      untilEnd: options.wait || compromise,
    });
    await output.data(followed, () => {
      describeRotation(followed, output);
      if (compromise) output.note(`who has used the old one: keyward provider-keys users ${id}`);
    });
    if (compromise && waitsForUse(followed)) {
      throw new CliError("the old secret is not revoked: the new one was not seen to work");
    }
    if (followed.state === "failed" || followed.state === "cancelled") {
      throw new CliError(
        `the key still has its old secret unless \`keyward rotations show ${begun.id}\` says otherwise`,
      );
    }
  },
});

function secondsOf(text: string | undefined, flag: string): number | undefined {
  return text === undefined ? undefined : parseCount(text, flag);
}
