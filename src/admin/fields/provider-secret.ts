import { z } from "@hono/zod-openapi";
import { isProviderAdminKey } from "../../core/keys/ownership.ts";
import { isKeywardKey } from "../../core/keys/provider-key.ts";

const secretText = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]{1,512}$/, "must be 1 to 512 visible ASCII characters without spaces")
  .refine(
    (secret) => !isKeywardKey(secret),
    "must be a provider's secret, and begins as a key that Keyward itself issues",
  );

/** A secret to call models with. */
export const providerSecretField = secretText
  .refine(
    (secret) => !isProviderAdminKey(secret),
    "must be a key that calls models, and this is an admin key: it manages the whole organization, calls no model, and no call may carry it; `keyward provider-accounts set-admin-key` takes it",
  )
  .openapi({
    description: "The provider's secret. Goes into the vault and is never answered with.",
    example: "<the provider's secret>",
  });

/** A secret to manage keys with. */
export const adminSecretField = secretText.openapi({
  description: "An admin key of the organization. Goes into the vault and is never answered with.",
  example: "<an admin key>",
});
