import { createRoute } from "@hono/zod-openapi";
import { isId } from "../../core/ids/ids.ts";
import { noted } from "../../core/resumable/resumable.ts";
import { isOldEnded, withoutOldSecret } from "../../core/rotation/old-secret.ts";
import type { RotationRecord } from "../../store/rotation-records.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { emptyBody, jsonAnswer } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse } from "../answers/refusal.ts";
import { changeWork } from "../change-work.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { idParam } from "../fields/names.ts";
import { formatRotation, readingOf, rotationSchema } from "./rotation-answers.ts";

const confirmOldSecretRevoked = createRoute({
  method: "post",
  path: "/rotations/{id}/confirm-revoked",
  operationId: "confirmOldSecretRevoked",
  tags: ["rotations"],
  summary: "Say that an old secret is deleted at its provider",
  description:
    "For a rotation that has ended with the old secret not known to be ended: one with `awaitsRevocation`, or another whose old secret has leaked since. Where the secret is still kept it is tried first: while the provider takes it, this is refused.",
  request: {
    params: idParam("rot_01JZ6Y4V2S8W3N5R7T9X0B1C2D"),
    query: closedQuery({}),
    body: emptyBody,
  },
  responses: {
    200: jsonAnswer("The rotation, with nothing left to do.", rotationSchema),
    ...errorAnswers("not_found", "conflict", ...BODY_CODES),
  },
});

const NOT_FOUND = "There is no rotation of this id.";
const NOTHING_TO_CONFIRM =
  "Nothing is to be confirmed: this rotation has not ended with a new secret, or its old one is known to be ended.";
const STILL_TAKEN =
  "The provider still takes this secret: a call with it was answered just now. Delete it there first; that may take a minute to be known everywhere.";

export function registerConfirmRevoked(
  router: AdminRouter,
  deps: Pick<AdminDeps, "store" | "clock" | "keyDesk" | "providers">,
): void {
  const { clock, keyDesk } = deps;

  router.openapi(confirmOldSecretRevoked, async (context) => {
    const { id } = context.req.valid("param");
    const { rotations } = deps.store.rotation;
    const find = async () => (isId("rot", id) ? await rotations.findById(id) : undefined);
    const record = await find();
    if (record === undefined) return refuse(context, "not_found", NOT_FOUND, "id");
    if (!canConfirm(record)) return refuse(context, "conflict", NOTHING_TO_CONFIRM, "id");
    const answer = await keyDesk.tryOldSecret(record);
    if (answer === "valid") return refuse(context, "conflict", STILL_TAKEN, "id");
    const fate = answer === "refused" ? "refused" : "confirmed";
    const text = `${context.get("principal").name} says that the old key is deleted at the provider`;
    const changed = await changeWork<RotationRecord>({
      isEnded: true,
      find,
      apply: (now) =>
        canConfirm(now) ? withoutOldSecret(noted(now, text, clock.nowMs()), fate) : undefined,
      save: (now) => rotations.save(now),
    });
    if (changed === "missing") return refuse(context, "not_found", NOT_FOUND, "id");
    if (changed === "refused") return refuse(context, "conflict", NOTHING_TO_CONFIRM, "id");
    return context.json(await formatRotation(changed, readingOf(deps)), 200);
  });
}

/** Also where nobody is reminded: an old secret that was replaced for no theft can leak afterwards. */
function canConfirm({ state, oldFate }: RotationRecord): boolean {
  return state === "done" && !isOldEnded(oldFate);
}
