import { createRoute, z } from "@hono/zod-openapi";
import { isId } from "../../core/ids/ids.ts";
import { isRetryable } from "../../core/resumable/resumable.ts";
import { noted } from "../../core/resumable/resumable.ts";
import {
  canRevokeOld,
  enterState,
  giveUpRotation,
  isCancellable,
  retried,
  revokingOld,
} from "../../core/rotation/rotation.ts";
import type { RotationRecord } from "../../store/rotation-records.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { emptyBody, jsonAnswer } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse, refuseProblems } from "../answers/refusal.ts";
import { changeWork } from "../change-work.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { idParam, referenceField } from "../fields/names.ts";
import { listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import { IS_HELD, letGoOnBy, retryBody } from "./held-work.ts";
import { formatRotation, readingOf, rotationSchema } from "./rotation-answers.ts";

const ID_PARAM = idParam("rot_01JZ6Y4V2S8W3N5R7T9X0B1C2D");

const listRotations = createRoute({
  method: "get",
  path: "/rotations",
  operationId: "listRotations",
  tags: ["rotations"],
  summary: "List rotations of provider keys, newest first",
  request: {
    query: closedQuery({
      ...pagingFields,
      keyId: referenceField(
        "Only of this provider key.",
        "pky_01JZ6Y4V2S8W3N5R7T9X0B1C2D",
      ).optional(),
      open: z.enum(["true", "false"]).optional().openapi({
        description: "`true`: only those that have not ended.",
        example: "true",
      }),
    }),
  },
  responses: {
    200: jsonAnswer("A page of rotations.", listOf("RotationList", rotationSchema)),
    ...errorAnswers(),
  },
});

const getRotation = createRoute({
  method: "get",
  path: "/rotations/{id}",
  operationId: "getRotation",
  tags: ["rotations"],
  summary: "Get a rotation",
  request: { params: ID_PARAM, query: closedQuery({}) },
  responses: {
    200: jsonAnswer("The rotation.", rotationSchema),
    ...errorAnswers("not_found"),
  },
});

const retryRotation = createRoute({
  method: "post",
  path: "/rotations/{id}/retry",
  operationId: "retryRotation",
  tags: ["rotations"],
  summary: "Go on with a rotation that failed, or waits for its next try, now",
  request: { params: ID_PARAM, query: closedQuery({}), body: retryBody },
  responses: {
    200: jsonAnswer("The rotation, going on.", rotationSchema),
    ...errorAnswers("not_found", "conflict", ...BODY_CODES),
  },
});

const cancelRotation = createRoute({
  method: "post",
  path: "/rotations/{id}/cancel",
  operationId: "cancelRotation",
  tags: ["rotations"],
  summary: "Call a rotation off: back to the old secret, and what was made is deleted",
  description:
    "Until the old secret is being revoked; then there is no way back. One that is `held` ends where it stands: nothing is asked of the provider, and the key keeps the secret that it has.",
  request: { params: ID_PARAM, query: closedQuery({}), body: emptyBody },
  responses: {
    200: jsonAnswer("The rotation, going back.", rotationSchema),
    ...errorAnswers("not_found", "conflict", ...BODY_CODES),
  },
});

const revokeOldSecret = createRoute({
  method: "post",
  path: "/rotations/{id}/revoke-old",
  operationId: "revokeOldSecret",
  tags: ["rotations"],
  summary: "Have the old secret revoked now, also where the new one was not seen to work",
  description:
    "In `observe` and `grace`: nothing more is waited for, and there is no way back. Where the new secret does not work, calls fail from then on.",
  request: { params: ID_PARAM, query: closedQuery({}), body: emptyBody },
  responses: {
    200: jsonAnswer("The rotation, going on.", rotationSchema),
    ...errorAnswers("not_found", "conflict", ...BODY_CODES),
  },
});

export function registerRotations(
  router: AdminRouter,
  deps: Pick<AdminDeps, "store" | "clock" | "keyDesk" | "providers">,
): void {
  const { store, clock, keyDesk } = deps;

  router.openapi(listRotations, async (context) => {
    const { keyId, open, ...query } = context.req.valid("query");
    if (keyId !== undefined && !isId("pky", keyId)) {
      return refuseProblems(context, [{ param: "keyId", message: "must be a provider key's id" }]);
    }
    const page = await store.rotation.rotations.list(pageRequestOf(query), {
      keyId,
      isOpen: open === undefined ? undefined : open === "true",
    });
    const reading = readingOf(deps);
    const data = await Promise.all(page.rows.map((row) => formatRotation(row, reading)));
    return context.json({ data, nextCursor: page.nextCursor }, 200);
  });

  router.openapi(getRotation, async (context) => {
    const record = await findRotation(deps, context.req.valid("param").id);
    if (!record) return refuse(context, "not_found", NOT_FOUND, "id");
    return context.json(await formatRotation(record, readingOf(deps)), 200);
  });

  router.openapi(retryRotation, async (context) => {
    const { id } = context.req.valid("param");
    const by = context.get("principal").name;
    const { originalGone: isOriginalGone = false } = context.req.valid("json") ?? {};
    const changed = await change(deps, id, (record) => {
      if (!isRetryable(record) || (record.isHeld && !isOriginalGone)) return undefined;
      const text = record.isHeld ? letGoOnBy(by) : `retried by ${by}`;
      const going = { ...noted(record, text, clock.nowMs()), isHeld: false };
      return retried(going, clock.nowMs());
    });
    if (changed === "missing") return refuse(context, "not_found", NOT_FOUND, "id");
    if (changed === "refused") {
      const found = await findRotation(deps, id);
      if (found?.isHeld === true) return refuse(context, "conflict", IS_HELD, "originalGone");
      const message = "This rotation waits for no retry: it goes on by itself, or has ended.";
      return refuse(context, "conflict", message, "id");
    }
    keyDesk.wake();
    return context.json(await formatRotation(changed, readingOf(deps)), 200);
  });

  router.openapi(cancelRotation, async (context) => {
    const { id } = context.req.valid("param");
    const problem = `Called off by ${context.get("principal").name}.`;
    const changed = await change(deps, id, (record) => {
      const nowMs = clock.nowMs();
      if (record.isHeld) return withoutSeals(giveUpRotation(record, { problem, nowMs }));
      if (!isCancellable(record)) return undefined;
      return enterState({ ...noted(record, problem, nowMs), problem }, "undo", nowMs);
    });
    if (changed === "missing") return refuse(context, "not_found", NOT_FOUND, "id");
    if (changed === "refused") {
      const message =
        "This rotation cannot be called off any more: it has ended, goes back already, or the old secret is being revoked.";
      return refuse(context, "conflict", message, "id");
    }
    keyDesk.wake();
    return context.json(await formatRotation(changed, readingOf(deps)), 200);
  });

  registerRevocation(router, deps);
}

function registerRevocation(
  router: AdminRouter,
  deps: Pick<AdminDeps, "store" | "clock" | "keyDesk" | "providers">,
): void {
  const { clock, keyDesk } = deps;

  router.openapi(revokeOldSecret, async (context) => {
    const { id } = context.req.valid("param");
    const by = context.get("principal").name;
    const changed = await change(deps, id, (record) => {
      if (!canRevokeOld(record)) return undefined;
      const text = `${by} has the old secret revoked ${record.isVerified ? "now" : "without a call that the new one answered"}`;
      return revokingOld(noted(record, text, clock.nowMs()), clock.nowMs());
    });
    if (changed === "missing") return refuse(context, "not_found", NOT_FOUND, "id");
    if (changed === "refused") {
      const message =
        "The new secret of this rotation is not the key's, or the old one is being revoked already. To end the key at once, revoke the provider key itself.";
      return refuse(context, "conflict", message, "id");
    }
    keyDesk.wake();
    return context.json(await formatRotation(changed, readingOf(deps)), 200);
  });
}

const NOT_FOUND = "There is no rotation of this id.";

/** What the key has is its own; any other is kept for nobody to find. */
function withoutSeals(rotation: RotationRecord): RotationRecord {
  const { old, next } = rotation;
  return {
    ...rotation,
    old: { ...old, sealed: null },
    next: next && { ...next, sealed: null },
  };
}

async function findRotation(
  { store }: Pick<AdminDeps, "store">,
  id: string,
): Promise<RotationRecord | undefined> {
  return isId("rot", id) ? store.rotation.rotations.findById(id) : undefined;
}

function change(
  deps: Pick<AdminDeps, "store">,
  id: string,
  apply: (record: RotationRecord) => RotationRecord | undefined,
) {
  return changeWork({
    find: () => findRotation(deps, id),
    apply,
    save: (record) => deps.store.rotation.rotations.save(record),
  });
}
