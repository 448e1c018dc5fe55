import { parseJsonText } from "../../wire/json/parse-json-text.ts";
import { SoughtNames } from "../../wire/json/sought-names.ts";
import { TopLevelScanner, type TopLevelScan } from "../../wire/json/top-level-scanner.ts";
import { readFormBoundary } from "../../wire/multipart/form-field-scanner.ts";
import type { Operation } from "../../wire/openai/operation.ts";
import type { BodyBudget } from "../body-budget.ts";
import type { Call, Refusal } from "../call.ts";
import { FormBody } from "../form-body.ts";
import { readAhead, type ReadAhead } from "../read-ahead.ts";
import { TOKEN_FIELDS } from "../token-facts.ts";

export interface PeekDeps {
  readonly bodyBudget: BodyBudget;
  readonly maxJsonBodyBytes: number;
}

/** OpenRouter's and LiteLLM's lists of models to fall back to. */
const OTHER_MODELS = [
  "models",
  "fallbacks",
  "fallback_models",
  "context_window_fallbacks",
  "content_policy_fallbacks",
] as const;

const NONE: readonly never[] = [];

/** What LiteLLM puts over the body's own fields. */
export const EXTRA_BODY = "extra_body";

const PEEKED_FIELDS: readonly string[] = [
  "model",
  ...OTHER_MODELS,
  EXTRA_BODY,
  "stream",
  "stream_options",
  "user",
  "safety_identifier",
  "metadata",
  "background",
  ...TOKEN_FIELDS,
];

/** Made once for each operation. Memory of a pure function: nobody can tell whether it is there. */
const soughtNames = new WeakMap<Operation, SoughtNames>();

function soughtIn(operation: Operation): SoughtNames {
  let sought = soughtNames.get(operation);
  if (sought === undefined) {
    sought = new SoughtNames(PEEKED_FIELDS, operation.boundFields);
    soughtNames.set(operation, sought);
  }
  return sought;
}

/** A form up to this size is held whole, so that it can be sent a second time. */
const MAX_HELD_FORM_BYTES = 1024 * 1024;

/**
 * Reads the few fields of a body that the gateway acts upon: of JSON, which is read into memory up to a limit, and of a
 * form, which is streamed. The bodies of all other endpoints pass unread.
 */
export function peek(
  deps: PeekDeps,
  call: Call,
): Refusal | undefined | Promise<Refusal | undefined> {
  const { operation, request } = call;
  if (operation.requestKind === "unread") return undefined;
  const encoding = request.headers.get("content-encoding");
  if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
    return {
      code: "unsupported_content_encoding",
      message: `The body is sent with content-encoding "${encoding.slice(0, 40)}"; ${request.path} is only read uncompressed.`,
      isConnectionSpent: true,
    };
  }
  if (operation.requestKind === "json") return peekJson(deps, call);
  const contentType = request.headers.get("content-type");
  const boundary = readFormBoundary(contentType);
  if (boundary !== undefined) return peekForm(deps, call, boundary);
  const isJson = contentType !== undefined && /^\s*application\/json\b/i.test(contentType);
  // Neither of the two: the provider will say what it thinks of it.
  return isJson ? peekJson(deps, call) : undefined;
}

function peekJson(deps: PeekDeps, call: Call): Refusal | undefined | Promise<Refusal | undefined> {
  const limit = deps.maxJsonBodyBytes;
  const declared = Number(call.request.headers.get("content-length") ?? 0);
  if (declared > limit) return tooLarge(call, limit);
  const scanner = new TopLevelScanner(soughtIn(call.operation));
  let isHeld = true;
  const read = readAhead(call.request.body, {
    limitBytes: limit,
    onChunk: (chunk) => {
      scanner.push(chunk);
      isHeld = deps.bodyBudget.take(call, chunk.length);
      return !isHeld;
    },
  });
  const understand = ({ bytes, isWhole }: ReadAhead): Refusal | undefined => {
    if (!isHeld) return OUT_OF_MEMORY;
    return isWhole ? understandJson(call, scanner, bytes) : tooLarge(call, limit);
  };
  return read instanceof Promise ? read.then(understand) : understand(read);
}

function understandJson(call: Call, scanner: TopLevelScanner, bytes: Buffer): Refusal | undefined {
  const scan = scanner.finish();
  if (scan === undefined) {
    return { code: "invalid_json", message: "The request body must be one JSON object." };
  }
  if (scan.duplicate !== undefined) {
    return {
      code: "invalid_json",
      message: `The request body names "${scan.duplicate}" twice; which one counts would be a guess.`,
      param: scan.duplicate,
    };
  }
  if (scan.lookAlike !== undefined) {
    return {
      code: "invalid_json",
      message: `The request body has a field "${scan.lookAlike}", which some servers take for the one in lower case. Leave it out, or write it in lower case.`,
      param: scan.lookAlike,
    };
  }
  const model = scan.fields.get("model");
  // The text of a value that is too long is not kept.
  if (model !== undefined && model.text !== "null" && model.text?.startsWith('"') !== true) {
    return NO_NAME;
  }
  call.peeked = {
    bytes,
    scan,
    isComplete: true,
    model: call.request.dated?.deployment ?? readString(scan, "model"),
    otherModels: OTHER_MODELS.some((name) => scan.fields.has(name))
      ? OTHER_MODELS.flatMap((name) => readOtherModels(scan, name))
      : NONE,
    isStream: scan.fields.get("stream")?.text === "true",
    endUser: readEndUser(call.operation, scan),
    stream: () => null,
    fields: () => null,
  };
  return undefined;
}

async function peekForm(
  deps: PeekDeps,
  call: Call,
  boundary: string,
): Promise<Refusal | undefined> {
  const declared = Number(call.request.headers.get("content-length") ?? Number.POSITIVE_INFINITY);
  let isHeld = true;
  const form = await FormBody.read(call.request.body, {
    boundary,
    maxHeldBytes: deps.maxJsonBodyBytes,
    mayHold: (bytes) => {
      isHeld = deps.bodyBudget.take(call, bytes);
      return isHeld;
    },
    // A second model behind the first would be another one than the key was checked for.
    isReadToEnd: areModelsLimited(call) || declared <= MAX_HELD_FORM_BYTES,
  });
  if (!isHeld) return OUT_OF_MEMORY;
  if (form.duplicate !== undefined) {
    return {
      code: "invalid_form",
      message: `The form has "${form.duplicate}" twice; which one counts would be a guess.`,
      param: form.duplicate,
      isConnectionSpent: form.bytes === null,
    };
  }
  const deployment = call.request.dated?.deployment ?? null;
  if (deployment !== null && form.model !== null && form.model !== deployment) {
    return {
      code: "invalid_form",
      message: `The path names the deployment "${deployment.slice(0, 100)}" and the form the model "${form.model.slice(0, 100)}"; Keyward does not change a form, so they must be the same.`,
      param: "model",
      isConnectionSpent: true,
    };
  }
  call.peeked = form;
  return undefined;
}

function areModelsLimited({ key, policy }: Call): boolean {
  return key?.allowedModels !== null || (policy !== null && policy.models !== null);
}

function readOtherModels(scan: TopLevelScan, name: string): readonly (string | null)[] {
  const text = scan.fields.get(name)?.text;
  if (text === "null" || !scan.fields.has(name)) return [];
  const value = readJson(scan, name);
  return Array.isArray(value) ? value.map(readOtherModel) : [readOtherModel(value)];
}

function readOtherModel(entry: unknown): string | null {
  const named: unknown =
    typeof entry === "object" && entry !== null ? (entry as { model?: unknown }).model : entry;
  return typeof named === "string" ? named : null;
}

function readEndUser({ endUser }: Operation, scan: TopLevelScan): string | null {
  if (endUser !== undefined) return endUser({ metadata: readJson(scan, "metadata") });
  return readString(scan, "safety_identifier") ?? readString(scan, "user");
}

/** Some server may make a name of it, and no budget or limit would know which. */
const NO_NAME: Refusal = {
  code: "invalid_json",
  message: 'The request body has a "model" that is not a string, or longer than any name.',
  param: "model",
};

const OUT_OF_MEMORY: Refusal = {
  code: "overloaded",
  message:
    "The bodies of the calls in flight take all the memory that they may (the setting maxHeldBodyBytes). Try again shortly.",
  isConnectionSpent: true,
};

function tooLarge(call: Call, limit: number): Refusal {
  return {
    code: "request_too_large",
    message: `The request body is larger than ${limit} bytes, the most that is read for ${call.request.path}. The limit is the setting maxJsonBodyBytes.`,
    isConnectionSpent: true,
  };
}

function readString(scan: TopLevelScan, name: string): string | null {
  const text = scan.fields.get(name)?.text;
  if (text === undefined || !text.startsWith('"')) return null;
  return readJson(scan, name) as string | null;
}

function readJson(scan: TopLevelScan, name: string): unknown {
  const text = scan.fields.get(name)?.text;
  if (text === undefined) return null;
  try {
    return parseJsonText(text);
  } catch {
    return null;
  }
}
