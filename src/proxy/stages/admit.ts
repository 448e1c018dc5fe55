import { isListed } from "../../wire/openai/unlisted.ts";
import type { Call, Refusal } from "../call.ts";

/** Whether the key may make this call at all. */
export function admit(call: Call): Refusal | undefined {
  const allowed = call.key?.allowedModels ?? null;
  if (allowed === null) return undefined;
  const { operation } = call;
  if (operation.requestKind === "unread") {
    // Runs no model: what is looked up was made by a call that was checked.
    if (isListed(operation) && !operation.charges && !hasBody(call)) return undefined;
    // Elsewhere the model stands where the gateway does not look, so a key that is limited to models can't be checked.
    return {
      code: "model_not_allowed",
      message: `This key is limited to certain models, and ${call.request.path} is an endpoint whose model Keyward does not read. Use a key without a model limit.`,
    };
  }
  if (call.peeked !== undefined && !call.peeked.isComplete) {
    return {
      code: "model_not_allowed",
      message:
        "This key is limited to certain models, and the form is too large, or not well-formed enough, to know its model before it is sent. Send a smaller one, or use a key without a model limit.",
      param: "model",
      isConnectionSpent: call.peeked.bytes === null,
    };
  }
  const model = call.peeked?.model ?? null;
  const others = call.peeked?.otherModels ?? [];
  const refused = [model, ...others].find((one) => one === null || !allowed.has(one));
  if (refused === undefined) return undefined;
  return {
    code: "model_not_allowed",
    message: `This key may call ${[...allowed].join(", ")}; the request asks for ${refused === null ? "no model" : `"${refused.slice(0, 100)}"`}.`,
    param: "model",
  };
}

function hasBody({ request }: Call): boolean {
  const declared = request.headers.get("content-length") ?? "0";
  return request.headers.has("transfer-encoding") || declared !== "0";
}
