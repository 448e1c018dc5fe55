import { findForbiddenModel } from "../../core/policy/call-policy.ts";
import { readOutputLimit } from "../../wire/bounds/read-token-bound.ts";
import { readTools } from "../../wire/bounds/read-tools.ts";
import { isListed } from "../../wire/openai/unlisted.ts";
import type { Call, Refusal } from "../call.ts";
import type { PolicyWatch } from "../policy-watch.ts";
import { EXTRA_BODY } from "./peek.ts";

export interface AdmitDeps {
  readonly policyWatch: PolicyWatch;
}

/** Whether the key may make this call at all, now that its body is known. */
export function admit({ policyWatch }: AdmitDeps, call: Call): Refusal | undefined {
  const refusal = admitToKey(call);
  if (refusal !== undefined || call.policy === null) return refusal;
  return admitToModels(policyWatch, call) ?? admitOutput(policyWatch, call);
}

function admitToKey(call: Call): Refusal | undefined {
  const allowed = call.key?.allowedModels ?? null;
  if (allowed === null) return undefined;
  const unread = refuseUnread(call, "This key");
  if (unread !== undefined || call.operation.requestKind === "unread") return unread;
  const refused = namedModels(call).find((one) => one === null || !allowed.has(one));
  return refused === undefined
    ? undefined
    : modelNotAllowed(`This key may call ${[...allowed].join(", ")}`, refused);
}

function admitToModels(policyWatch: PolicyWatch, call: Call): Refusal | undefined {
  const rule = call.policy?.models ?? null;
  if (rule === null) return undefined;
  const refusal = modelsRefusal(call, rule.patterns);
  return refusal !== undefined && rule.mode === "warn"
    ? policyWatch.note(call, "allowed_models")
    : refusal;
}

function modelsRefusal(
  call: Call,
  patterns: Parameters<typeof findForbiddenModel>[0],
): Refusal | undefined {
  const whose = `The ${call.key?.environmentName ?? ""} environment`;
  const unread = refuseUnread(call, whose);
  if (unread !== undefined || call.operation.requestKind === "unread") return unread;
  const forbidden = findForbiddenModel(patterns, namedModels(call));
  if (forbidden === undefined) return undefined;
  const names = patterns.map(({ text, isPrefix }) => `${text}${isPrefix ? "*" : ""}`);
  return modelNotAllowed(`${whose} allows ${names.join(", ")}`, forbidden.model);
}

/** A call whose model can't be checked is not one of a model that is allowed. */
function refuseUnread(call: Call, whose: string): Refusal | undefined {
  const { operation } = call;
  if (operation.requestKind === "unread") {
    // Runs no model: what is looked up was made by a call that was checked.
    if (isListed(operation) && !operation.charges && !hasBody(call)) return undefined;
    return {
      code: "model_not_allowed",
      message: `${whose} is limited to certain models, and ${call.request.path} is an endpoint whose model Keyward does not read. Use a key, in an environment, without a model limit.`,
    };
  }
  if (call.peeked === undefined) return undefined;
  if (call.peeked.isComplete) return refuseExtraBody(call, whose);
  return {
    code: "model_not_allowed",
    message: `${whose} is limited to certain models, and the form is too large, or not well-formed enough, to know its model before it is sent. Send a smaller one, or use a key, in an environment, without a model limit.`,
    param: "model",
    isConnectionSpent: call.peeked.bytes === null,
  };
}

/** Some servers take its fields for the body's, another model among them. */
function refuseExtraBody({ peeked }: Call, whose: string): Refusal | undefined {
  const extra = peeked?.scan?.fields.get(EXTRA_BODY);
  if (extra === undefined || extra.text === "null") return undefined;
  return {
    code: "model_not_allowed",
    message: `${whose} is limited to certain models, and "${EXTRA_BODY}" may name another. Send its fields in the body itself.`,
    param: EXTRA_BODY,
  };
}

function namedModels(call: Call): readonly (string | null)[] {
  const { peeked } = call;
  return [peeked?.model ?? null, ...(peeked?.otherModels ?? []), ...modelsOfTools(call)];
}

/** Tools of the provider's may be told which model to run; what can't be read may be one of those. */
function modelsOfTools({ peeked }: Call): readonly (string | null)[] {
  const place = peeked?.scan?.fields.get("tools");
  if (place === undefined || place.memberCount === 0 || peeked?.bytes == null) return [];
  return readTools(peeked.bytes, place)?.flatMap(({ models }) => models) ?? [null];
}

function modelNotAllowed(allowed: string, refused: string | null): Refusal {
  return {
    code: "model_not_allowed",
    message: `${allowed}; the request asks for ${refused === null ? "no model" : `"${refused.slice(0, 100)}"`}.`,
    param: "model",
  };
}

function hasBody({ request }: Call): boolean {
  const declared = request.headers.get("content-length") ?? "0";
  return request.headers.has("transfer-encoding") || declared !== "0";
}

/** A limit above the policy's is refused; for what else there is, see the cap of `hold`, which knows the provider. */
function admitOutput(policyWatch: PolicyWatch, call: Call): Refusal | undefined {
  const rule = call.policy?.output ?? null;
  const fields = call.operation.outputLimits ?? [];
  const scan = call.peeked?.scan ?? null;
  if (rule === null || scan === null || fields.length === 0) return undefined;
  for (const field of fields) {
    const tokens = readOutputLimit(scan, field) ?? 0;
    if (tokens <= rule.maxTokens) continue;
    if (rule.mode === "warn") return policyWatch.note(call, "max_output_tokens");
    return {
      code: "output_limit_exceeded",
      message: `The ${call.key?.environmentName ?? ""} environment allows ${rule.maxTokens} tokens of output; the request's ${field} is ${tokens}.`,
      param: field,
    };
  }
  if (rule.mode === "enforce") call.outputCap = rule.maxTokens;
  return undefined;
}
