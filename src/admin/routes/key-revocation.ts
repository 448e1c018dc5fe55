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
import { revokeMatching } from "../revoke-matching.ts";
import { formatKeys } from "./key-answers.ts";
import { bulkRevocationInput, bulkRevocationSchema } from "./key-schemas.ts";

/** A dry run counts no further. */
const MAX_COUNTED = 10_000;
/** Of one request. With more keys than can be revoked meanwhile it says so, and is asked again. */
const MAX_REVOKING_MS = 5_000;
const MAX_SHOWN = 100;

const revokeKeys = createRoute({
  method: "post",
  path: "/keys/revoke",
  operationId: "revokeKeys",
  tags: ["keys"],
  summary: "Revoke all gateway keys of a customer, an environment, a project or a prefix",
  description:
    "For good, all that match every field that is given. It ends after some five seconds at the latest, with `isComplete` false where keys are left: send the same request again until it is true. What is revoked by then stays so, also where the request fails. With `dryRun` nothing is revoked, and the answer says what would be.",
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
  const { store } = deps;

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
    if (dryRun) {
      const { records, isComplete } = await collect(store, filter);
      const data = await formatKeys(deps, records.slice(0, MAX_SHOWN));
      return context.json({ isDryRun: true, count: records.length, isComplete, data }, 200);
    }
    const { count, isComplete, first } = await revokeMatching(deps, filter, MAX_REVOKING_MS);
    const data = await formatKeys(deps, await reload(store, first));
    return context.json({ isDryRun: false, count, isComplete, data }, 200);
  });
}

async function collect(
  { gatewayKeys }: Pick<Repositories, "gatewayKeys">,
  filter: GatewayKeyFilter,
): Promise<{ readonly records: readonly GatewayKeyRecord[]; readonly isComplete: boolean }> {
  const records: GatewayKeyRecord[] = [];
  let cursor: string | undefined;
  while (records.length < MAX_COUNTED) {
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
