import { createRoute, z } from "@hono/zod-openapi";
import { isId } from "../../core/ids/ids.ts";
import {
  enterProvisionState,
  giveUpProvision,
  isProvisionCancellable,
  retriedProvision,
} from "../../core/provisioning/provision.ts";
import { isRetryable, noted } from "../../core/resumable/resumable.ts";
import type { ProvisionRecord } from "../../store/provision-repository.ts";
import type { ProviderAccountRecord } from "../../store/records.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import type { Problem } from "../answers/error-body.ts";
import { emptyBody, jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse, refuseProblems } from "../answers/refusal.ts";
import { changeWork } from "../change-work.ts";
import { closedObject, closedQuery } from "../fields/closed-object.ts";
import { usdField } from "../fields/money.ts";
import { idParam, nameField, referenceField } from "../fields/names.ts";
import { listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import { NameLookup } from "../name-lookup.ts";
import {
  beginProvision,
  findProvisionConflicts,
  planLimits,
  type ProvisionRequest,
  remoteNameOf,
} from "../plan-provision.ts";
import { References } from "../references.ts";
import { IS_HELD, letGoOnBy, retryBody } from "./held-work.ts";
import { formatLimits, formatProvision, planSchema, provisionSchema } from "./provision-answers.ts";

const ID_PARAM = idParam("pvn_01JZ6Y4V2S8W3N5R7T9X0B1C2D");

const accountField = referenceField(
  "An organization's account with an admin key, by id or name.",
  "openai-main",
);

const fields = {
  environment: referenceField("An environment's name or id.", "production"),
  keyName: nameField("Of the provider key. Absent: `main`.", "main").optional(),
  monthlyLimitUsd: usdField(
    "The project's spend limit at the provider. Absent: what the hard budgets leave that count every call of the environment.",
    "more",
  ).optional(),
  another: z.boolean().optional().openapi({
    description: "Also where the environment has a provider key of the account already.",
    example: false,
  }),
};

const provisionInput = closedObject({ ...fields, account: accountField }).openapi("ProvisionInput");
const planInput = closedObject({ ...fields, account: accountField.optional() }).openapi(
  "ProvisionPlanInput",
  { description: "Without an account: for one that is yet to be added." },
);

const DEFAULT_KEY_NAME = "main";

const createProvision = createRoute({
  method: "post",
  path: "/provisions",
  operationId: "createProvision",
  tags: ["provisions"],
  summary: "Have a provider make what a new environment needs: a project, limits, a key",
  description:
    "Begins and answers at once; `GET /provisions/{id}` says how it goes. A project and a service account are made with the account's admin key, the project is held to what Keyward's own limits come to, and the key is tried and put into the vault. What the provider refuses to set is reported, with what to do by hand.",
  request: { query: closedQuery({}), body: jsonBody(provisionInput) },
  responses: {
    201: jsonAnswer("The provision, begun.", provisionSchema),
    ...errorAnswers("conflict", ...BODY_CODES),
  },
});

const planProvision = createRoute({
  method: "post",
  path: "/provisions/plan",
  operationId: "planProvision",
  tags: ["provisions"],
  summary: "Say what a provision would make, and what would refuse it; changes nothing",
  request: { query: closedQuery({}), body: jsonBody(planInput) },
  responses: {
    200: jsonAnswer("What would be made.", planSchema),
    ...errorAnswers(...BODY_CODES),
  },
});

const listProvisions = createRoute({
  method: "get",
  path: "/provisions",
  operationId: "listProvisions",
  tags: ["provisions"],
  summary: "List provisions, newest first",
  request: { query: closedQuery(pagingFields) },
  responses: {
    200: jsonAnswer("A page of provisions.", listOf("ProvisionList", provisionSchema)),
    ...errorAnswers(),
  },
});

const getProvision = createRoute({
  method: "get",
  path: "/provisions/{id}",
  operationId: "getProvision",
  tags: ["provisions"],
  summary: "Get a provision",
  request: { params: ID_PARAM, query: closedQuery({}) },
  responses: {
    200: jsonAnswer("The provision.", provisionSchema),
    ...errorAnswers("not_found"),
  },
});

const retryProvision = createRoute({
  method: "post",
  path: "/provisions/{id}/retry",
  operationId: "retryProvision",
  tags: ["provisions"],
  summary: "Go on with a provision that failed, or waits for its next try, now",
  request: { params: ID_PARAM, query: closedQuery({}), body: retryBody },
  responses: {
    200: jsonAnswer("The provision, going on.", provisionSchema),
    ...errorAnswers("not_found", "conflict", ...BODY_CODES),
  },
});

const cancelProvision = createRoute({
  method: "post",
  path: "/provisions/{id}/cancel",
  operationId: "cancelProvision",
  tags: ["provisions"],
  summary: "Call a provision off: what was made is deleted, the project archived",
  description:
    "Until the key is the environment's; from then on the key is revoked as any other. One that is `held` ends where it stands: nothing is asked of the provider.",
  request: { params: ID_PARAM, query: closedQuery({}), body: emptyBody },
  responses: {
    200: jsonAnswer("The provision, going back.", provisionSchema),
    ...errorAnswers("not_found", "conflict", ...BODY_CODES),
  },
});

export function registerProvisions(
  router: AdminRouter,
  deps: Pick<AdminDeps, "store" | "ids" | "clock" | "keyDesk">,
): void {
  const { store, keyDesk } = deps;
  const format = (record: ProvisionRecord) => formatProvision(record, new NameLookup(store));
  registerProvisionChanges(router, deps, format);

  router.openapi(createProvision, async (context) => {
    const { request, account, problems } = await readRequest(deps, context.req.valid("json"));
    if (!request || !account) return refuseProblems(context, problems);
    const [conflict] = await findProvisionConflicts(deps, request, account);
    if (conflict) return refuse(context, "conflict", conflict.message, conflict.param);
    const by = context.get("principal").name;
    const begun = await beginProvision(deps, { ...request, account }, by);
    if ("conflict" in begun) {
      return refuse(context, "conflict", begun.conflict.message, begun.conflict.param);
    }
    keyDesk.wake();
    return context.json(await format(begun.record), 201);
  });

  router.openapi(planProvision, async (context) => {
    const { request, account, problems } = await readRequest(deps, context.req.valid("json"));
    if (!request) return refuseProblems(context, problems);
    const { environment, keyName } = request;
    const [limits, conflicts] = await Promise.all([
      planLimits(deps, request),
      findProvisionConflicts(deps, request, account),
    ]);
    const plan = {
      environment: environment.name,
      account: account?.name ?? null,
      keyName,
      projectName: remoteNameOf(environment, "<id>"),
      limits: formatLimits(limits),
      conflicts: conflicts.map(({ message }) => message),
    };
    return context.json(plan, 200);
  });

  router.openapi(listProvisions, async (context) => {
    const page = await store.rotation.provisions.list(pageRequestOf(context.req.valid("query")));
    const names = new NameLookup(store);
    const data = await Promise.all(page.rows.map((row) => formatProvision(row, names)));
    return context.json({ data, nextCursor: page.nextCursor }, 200);
  });

  router.openapi(getProvision, async (context) => {
    const record = await findProvision(deps, context.req.valid("param").id);
    if (!record) return refuse(context, "not_found", NOT_FOUND, "id");
    return context.json(await format(record), 200);
  });
}

function registerProvisionChanges(
  router: AdminRouter,
  deps: Pick<AdminDeps, "store" | "clock" | "keyDesk">,
  format: (record: ProvisionRecord) => ReturnType<typeof formatProvision>,
): void {
  const { clock, keyDesk } = deps;

  router.openapi(retryProvision, async (context) => {
    const by = context.get("principal").name;
    const { id } = context.req.valid("param");
    const { originalGone: isOriginalGone = false } = context.req.valid("json") ?? {};
    const changed = await change(deps, id, (record) => {
      if (!isRetryable(record) || (record.isHeld && !isOriginalGone)) return undefined;
      const text = record.isHeld ? letGoOnBy(by) : `retried by ${by}`;
      const going = { ...noted(record, text, clock.nowMs()), isHeld: false };
      return retriedProvision(going, clock.nowMs());
    });
    if (changed === "missing") return refuse(context, "not_found", NOT_FOUND, "id");
    if (changed === "refused") {
      const found = await findProvision(deps, id);
      if (found?.isHeld === true) return refuse(context, "conflict", IS_HELD, "originalGone");
      const message = "This provision waits for no retry: it goes on by itself, or has ended.";
      return refuse(context, "conflict", message, "id");
    }
    keyDesk.wake();
    return context.json(await format(changed), 200);
  });

  router.openapi(cancelProvision, async (context) => {
    const problem = `Called off by ${context.get("principal").name}.`;
    const changed = await change(deps, context.req.valid("param").id, (record) => {
      const nowMs = clock.nowMs();
      if (record.isHeld) {
        const given = giveUpProvision(record, { problem, nowMs });
        return { ...given, secret: given.secret && { ...given.secret, sealed: null } };
      }
      if (!isProvisionCancellable(record)) return undefined;
      return enterProvisionState({ ...noted(record, problem, nowMs), problem }, "undo", nowMs);
    });
    if (changed === "missing") return refuse(context, "not_found", NOT_FOUND, "id");
    if (changed === "refused") {
      const message = "This provision cannot be called off any more: it has ended, or goes back.";
      return refuse(context, "conflict", message, "id");
    }
    keyDesk.wake();
    return context.json(await format(changed), 200);
  });
}

const NOT_FOUND = "There is no provision of this id.";

/** Without `request` there are problems. */
async function readRequest(
  { store }: Pick<AdminDeps, "store">,
  input: z.output<typeof planInput>,
): Promise<{
  readonly request?: ProvisionRequest;
  readonly account: ProviderAccountRecord | undefined;
  readonly problems: readonly Problem[];
}> {
  const references = new References(store);
  const [environment, account] = await Promise.all([
    references.environment("environment", input.environment),
    input.account === undefined ? undefined : references.account("account", input.account),
  ]);
  const { problems } = references;
  if (!environment || problems.length > 0) return { account, problems };
  const { keyName = DEFAULT_KEY_NAME, monthlyLimitUsd, another = false } = input;
  const request = {
    environment,
    keyName,
    monthlyLimitPicos: monthlyLimitUsd,
    isAnother: another,
  };
  return { request, account, problems };
}

async function findProvision(
  { store }: Pick<AdminDeps, "store">,
  id: string,
): Promise<ProvisionRecord | undefined> {
  return isId("pvn", id) ? store.rotation.provisions.findById(id) : undefined;
}

function change(
  deps: Pick<AdminDeps, "store">,
  id: string,
  apply: (record: ProvisionRecord) => ProvisionRecord | undefined,
) {
  return changeWork({
    find: () => findProvision(deps, id),
    apply,
    save: (record) => deps.store.rotation.provisions.save(record),
  });
}
