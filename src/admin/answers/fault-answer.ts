import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { ERROR_CODES, type ErrorCode } from "../../core/errors/codes.ts";
import { KeywardError } from "../../core/errors/keyward-error.ts";
import { InvalidCursorError } from "../../store/store.ts";
import { createErrorBody } from "../../wire/openai/error-body.ts";
import type { AdminEnv, AdminFault } from "../admin-deps.ts";
import { storeIsAway } from "../guards/refuse-while-away.ts";
import type { StoreWatch } from "../store-watch.ts";

/**
 * The one place where a thrown error becomes an answer. What is not known to be public stays inside: the caller gets
 * the request id, the log gets the error.
 */
export function createFaultHandler({ onFault, storeWatch }: FaultDeps) {
  return async (error: unknown, context: Context<AdminEnv>): Promise<Response> => {
    const requestId = context.get("requestId");
    const described = describe(error, requestId);
    // A driver that gives up a moment before the watch does is no fault of ours.
    const isStores = described.code === "internal_error" && (await storeWatch?.confirm()) === true;
    const { code, message, param } = isStores ? describe(storeIsAway(), requestId) : described;
    const { status } = ERROR_CODES[code];
    if (status >= 500) {
      const { method, path } = context.req;
      onFault?.({ requestId, method, path, code, error });
    }
    return context.json(createErrorBody(code, message, param), status);
  };
}

interface FaultDeps {
  readonly onFault?: ((fault: AdminFault) => void) | undefined;
  readonly storeWatch?: StoreWatch | undefined;
}

interface FaultDescription {
  readonly code: ErrorCode;
  readonly message: string;
  readonly param: string | null;
}

function describe(error: unknown, requestId: string): FaultDescription {
  if (error instanceof InvalidCursorError) {
    const message = "`cursor` must be the `nextCursor` of a page of this same list.";
    return { code: "invalid_argument", message, param: "cursor" };
  }
  if (error instanceof KeywardError) {
    return { code: error.code, message: error.message, param: null };
  }
  if (error instanceof HTTPException && error.status === 400) {
    return { code: "invalid_json", message: "The body is not valid JSON.", param: null };
  }
  const message = `A fault in Keyward. Its log has the details under the request id ${requestId}.`;
  return { code: "internal_error", message, param: null };
}
