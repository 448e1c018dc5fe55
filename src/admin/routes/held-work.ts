/** Work that was put back from a backup waits for one of two words of a person. */
import { z } from "@hono/zod-openapi";
import { closedObject } from "../fields/closed-object.ts";

export const retryBody = {
  required: false,
  content: {
    "application/json": {
      schema: closedObject({
        originalGone: z.boolean().optional().openapi({
          description:
            "Needed for one that is `held`: the installation that the backup is of is gone for good. What that one has made at the provider for it is deleted, or taken over.",
        }),
      }),
    },
  },
};

export const HELD_DESCRIPTION =
  "It was under way in the backup that the database was put back from, and waits: for a retry with `originalGone`, or for a cancel, which touches nothing at the provider.";

export const IS_HELD =
  "This was under way in a backup that the database was put back from. Where the installation of that backup is gone for good, say so (`originalGone`; `--original-gone` of the command), and it goes on: what that one has made at the provider for it is deleted. Else call it off: a cancel touches nothing at the provider.";

export function letGoOnBy(name: string): string {
  return `${name} lets it go on: the installation that the backup is of is gone`;
}
