import { createRoute, z } from "@hono/zod-openapi";
import { previewProviderKey } from "../../core/keys/provider-key.ts";
import type { Provider } from "../../providers/provider.ts";
import type { AdminKeyRecord } from "../../store/rotation-records.ts";
import { ADMINISTRATION_SCOPE } from "../../vault/vault.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { emptyBody, jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse, refuseProblems } from "../answers/refusal.ts";
import { closedObject, closedQuery } from "../fields/closed-object.ts";
import { formatInstant, instantAnswer } from "../fields/instants.ts";
import { idParam } from "../fields/names.ts";
import { adminSecretField } from "../fields/provider-secret.ts";
import { findAccount } from "../references.ts";

const ID_PARAM = idParam("acc_01JZ6Y4V2S8W3N5R7T9X0B1C2D");

const adminKeySchema = z
  .object({
    accountId: z.string(),
    account: z.string().openapi({ description: "The account's name." }),
    preview: z.string().openapi({ example: "sk-admin-…9fQa" }),
    version: z.number().openapi({ type: "integer", description: "Counts replaced ones up." }),
    createdBy: z.string(),
    createdAt: instantAnswer("When it was set."),
  })
  .openapi("ProviderAdminKey");

const setAdminKey = createRoute({
  method: "put",
  path: "/provider-accounts/{id}/admin-key",
  operationId: "updateProviderAdminKey",
  tags: ["provider accounts"],
  summary: "Set the admin key that an account's keys are managed with",
  description:
    "Tried with a call that changes nothing before it is kept. Sealed in the vault; nobody can read it back, only replace it.",
  request: {
    params: ID_PARAM,
    query: closedQuery({}),
    body: jsonBody(closedObject({ secret: adminSecretField }).openapi("ProviderAdminKeyInput")),
  },
  responses: {
    200: jsonAnswer("The admin key, without its secret.", adminKeySchema),
    ...errorAnswers("not_found", "conflict", ...BODY_CODES),
  },
});

const getAdminKey = createRoute({
  method: "get",
  path: "/provider-accounts/{id}/admin-key",
  operationId: "getProviderAdminKey",
  tags: ["provider accounts"],
  summary: "Say which admin key an account has, never what it is",
  request: { params: ID_PARAM, query: closedQuery({}) },
  responses: {
    200: jsonAnswer("The admin key, without its secret.", adminKeySchema),
    ...errorAnswers("not_found"),
  },
});

const removeAdminKey = createRoute({
  method: "delete",
  path: "/provider-accounts/{id}/admin-key",
  operationId: "removeProviderAdminKey",
  tags: ["provider accounts"],
  summary: "Forget an account's admin key",
  description: "At the provider it stays valid until it is deleted there.",
  request: { params: ID_PARAM, query: closedQuery({}), body: emptyBody },
  responses: {
    200: jsonAnswer("The admin key that was forgotten.", adminKeySchema),
    ...errorAnswers("not_found", ...BODY_CODES),
  },
});

export function registerProviderAdminKeys(
  router: AdminRouter,
  deps: Pick<AdminDeps, "store" | "vault" | "providers" | "clock" | "keyDesk">,
): void {
  const { store, vault, providers, clock, keyDesk } = deps;

  router.openapi(setAdminKey, async (context) => {
    const account = await findAccount(deps.store, context.req.valid("param").id);
    if (!account) return refuse(context, "not_found", NO_ACCOUNT, "id");
    const { secret } = context.req.valid("json");
    const found = await keyDesk.administrationOf(account, secret);
    if (found.kind === "absent") return refuse(context, "conflict", `${found.problem}.`, "id");
    const checked = await found.administration.check();
    if (checked.kind !== "done") {
      const why = checked.kind === "missing" ? "it knows no such API" : checked.problem;
      const message = `\`secret\` was not taken by the provider when it was tried: ${why}.`;
      const hint = hintOn(secret, providers.find(account.provider));
      return refuseProblems(context, [{ param: "secret", message: message + hint }]);
    }
    const version = ((await store.rotation.adminKeys.find(account.id))?.version ?? 0) + 1;
    const seal = { environmentId: ADMINISTRATION_SCOPE, secretId: account.id, version };
    const record: AdminKeyRecord = {
      accountId: account.id,
      version,
      sealed: await vault.seal(secret, seal),
      preview: previewProviderKey(secret),
      fingerprint: await vault.fingerprint(secret),
      createdBy: context.get("principal").name,
      createdAtMs: clock.nowMs(),
    };
    if (!(await store.rotation.adminKeys.put(record))) {
      const message = "Somebody else has set another admin key in this moment: try again.";
      return refuse(context, "conflict", message, "secret");
    }
    return context.json(format(record, account.name), 200);
  });

  router.openapi(getAdminKey, async (context) => {
    const account = await findAccount(deps.store, context.req.valid("param").id);
    const record = account && (await store.rotation.adminKeys.find(account.id));
    if (!account || !record) {
      return refuse(context, "not_found", account ? NO_ADMIN_KEY : NO_ACCOUNT, "id");
    }
    return context.json(format(record, account.name), 200);
  });

  router.openapi(removeAdminKey, async (context) => {
    const account = await findAccount(deps.store, context.req.valid("param").id);
    const record = account && (await store.rotation.adminKeys.find(account.id));
    if (!account || !record) {
      return refuse(context, "not_found", account ? NO_ADMIN_KEY : NO_ACCOUNT, "id");
    }
    await store.rotation.adminKeys.remove(account.id);
    return context.json(format(record, account.name), 200);
  });
}

const NO_ACCOUNT = "There is no provider account of this id.";
/** A key that calls models is what people have at hand; the provider says of it only that it may not do this. */
function hintOn(secret: string, provider: Pick<Provider, "title" | "adminKeyPrefix"> | undefined) {
  const { title, adminKeyPrefix } = provider ?? {};
  if (adminKeyPrefix === undefined || secret.startsWith(adminKeyPrefix)) return "";
  return ` This seems to be no admin key: those of ${title} begin with \`${adminKeyPrefix}\`.`;
}

const NO_ADMIN_KEY = "This account has no admin key.";

function format(record: AdminKeyRecord, account: string): z.infer<typeof adminKeySchema> {
  const { accountId, preview, version, createdBy, createdAtMs } = record;
  return { accountId, account, preview, version, createdBy, createdAt: formatInstant(createdAtMs) };
}
