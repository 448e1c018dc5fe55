import { createRoute } from "@hono/zod-openapi";
import type { GatewayKeyFilter } from "../../store/gateway-key-repository.ts";
import type { GatewayKeyRecord } from "../../store/records.ts";
import { MAX_PAGE_SIZE, type Repositories } from "../../store/store.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuseProblems } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { References } from "../references.ts";
import { formatKeys } from "./key-answers.ts";
import { bulkRevocationInput, bulkRevocationSchema } from "./key-schemas.ts";

/** Revoked in one transaction, which others wait for. */
const MAX_REVOKED_AT_ONCE = 10_000;
const MAX_SHOWN = 100;

const revokeKeys = createRoute({
  method: "post",
  path: "/keys/revoke",
  operationId: "revokeKeys",
  tags: ["keys"],
  summary: "Revoke all gateway keys of a customer, an environment, a project or a prefix",
  description:
    "For good, all that match every field that is given. With `dryRun` nothing is revoked, and the answer says what would be.",
  request: { query: closedQuery({}), body: jsonBody(bulkRevocationInput) },
  responses: {
    200: jsonAnswer("What was revoked, or would be.", bulkRevocationSchema),
    ...errorAnswers(...BODY_CODES),
  },
});

export function registerKeyRevocation(
  router: AdminRouter,
  deps: Pick<AdminDeps, "store" | "clock">,
): void {
  const { store, clock } = deps;

  router.openapi(revokeKeys, async (context) => {
    const { dryRun = false, keyPrefix, namePrefix, ...named } = context.req.valid("json");
    const references = new References(store);
    const [environment, project, customer] = await Promise.all([
      named.environment === undefined
        ? undefined
        : references.environment("environment", named.environment),
      named.project === undefined ? undefined : references.project("project", named.project),
      named.customer === undefined ? undefined : references.customer("customer", named.customer),
    ]);
    if (references.problems.length > 0) return refuseProblems(context, references.problems);
    const filter: GatewayKeyFilter = {
      environmentId: environment?.id,
      projectId: project?.id,
      customerId: customer?.id,
      keyPrefix,
      namePrefix,
      isUnrevoked: true,
    };
    const { records, isComplete } = dryRun
      ? await collect(store, filter)
      : await store.transaction(async (repositories) => {
          const collected = await collect(repositories, filter);
          const ids = collected.records.map(({ id }) => id);
          await repositories.gatewayKeys.revokeMany(ids, clock.nowMs());
          return collected;
        });
    const first = records.slice(0, MAX_SHOWN);
    const shown = dryRun ? first : await reload(store, first);
    const answer = { isDryRun: dryRun, count: records.length, isComplete };
    return context.json({ ...answer, data: await formatKeys(deps, shown) }, 200);
  });
}

async function collect(
  { gatewayKeys }: Pick<Repositories, "gatewayKeys">,
  filter: GatewayKeyFilter,
): Promise<{ readonly records: readonly GatewayKeyRecord[]; readonly isComplete: boolean }> {
  const records: GatewayKeyRecord[] = [];
  let cursor: string | undefined;
  while (records.length < MAX_REVOKED_AT_ONCE) {
    const page = await gatewayKeys.list({ limit: MAX_PAGE_SIZE, cursor }, filter);
    records.push(...page.rows);
    if (page.nextCursor === null) return { records, isComplete: true };
    cursor = page.nextCursor;
  }
  return { records, isComplete: false };
}

async function reload(
  { gatewayKeys }: Pick<Repositories, "gatewayKeys">,
  records: readonly GatewayKeyRecord[],
): Promise<readonly GatewayKeyRecord[]> {
  const found = await Promise.all(records.map(({ id }) => gatewayKeys.findById(id)));
  return found.filter((record) => record !== undefined);
}
