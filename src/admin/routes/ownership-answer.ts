import { z } from "@hono/zod-openapi";
import { KEY_OWNERS, type Ownership, OWNERSHIP_SOURCES } from "../../core/keys/ownership.ts";
import { formatOptionalInstant, instantAnswer } from "../fields/instants.ts";

export const ownershipSchema = z
  .object({
    owner: z.enum(KEY_OWNERS).openapi({
      description: "Who holds the secret at the provider. A `user`'s is a person's own.",
    }),
    source: z.enum(OWNERSHIP_SOURCES).nullable().openapi({
      description:
        "What says so: the secret's prefix, a response to a call with it, or the provider's Admin API, which is believed before the others.",
    }),
    detail: z.string().nullable().openapi({ example: "owner.type: service_account" }),
    seenAt: instantAnswer("When it was seen; null where that was not noted.").nullable(),
  })
  .openapi("KeyOwnership");

export function formatOwnership(
  { owner, evidence }: Ownership,
  seenAtMs: number | null,
): z.infer<typeof ownershipSchema> {
  return {
    owner,
    source: evidence?.source ?? null,
    detail: evidence?.detail ?? null,
    seenAt: formatOptionalInstant(seenAtMs),
  };
}
