import type { Call, Refusal } from "../call.ts";

/** Whether the key may make this call at all. Limits and budgets will be decided here, too. */
export function admit(call: Call): Refusal | undefined {
  const allowed = call.key?.allowedModels ?? null;
  if (allowed === null) return undefined;
  if (call.operation === undefined) {
    // Elsewhere the model stands where the gateway does not look, so a key that is limited to models can't be checked.
    if (call.request.method === "GET" && call.request.path === "/v1/models") return undefined;
    return {
      code: "model_not_allowed",
      message: `This key is limited to certain models, and ${call.request.path} is an endpoint whose model Keyward does not read. Use a key without a model limit.`,
    };
  }
  const model = call.peeked?.model ?? null;
  if (model !== null && allowed.has(model)) return undefined;
  return {
    code: "model_not_allowed",
    message: `This key may call ${[...allowed].join(", ")}; the request asks for ${model === null ? "no model" : `"${model.slice(0, 100)}"`}.`,
    param: "model",
  };
}
