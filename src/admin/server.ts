import { ERROR_CODES, type ErrorCode } from "../core/errors/codes.ts";
import { createErrorBody } from "../wire/openai/error-body.ts";
import type { AdminApp } from "./admin-app.ts";

/** The admin API as it is put on a port. */
export interface AdminServer {
  readonly fetch: AdminApp["fetch"];
  /** The answer to what is no `Request`, and so does not reach the app: a host that is no host, say. */
  readonly answerMalformed: () => Response;
  /** The answer where the app has failed to answer. */
  readonly answerFault: () => Response;
}

/**
 * The admin API, to be mounted for `/api/v1/*`. The app and its libraries are loaded when it is asked for the first time:
 * a gateway starts sooner and is smaller without them. Refuses an app that lets everybody in: that one is for calls
 * inside the process only.
 */
export function createAdminServer(load: () => Promise<AdminApp>): AdminServer {
  let loading: Promise<AdminApp> | undefined;
  const loadOnce = async (): Promise<AdminApp> => {
    try {
      return await (loading ??= loadGuarded(load));
    } catch (err) {
      // What could not be loaded (too many open files, say) is tried again with the next request.
      loading = undefined;
      throw err;
    }
  };
  return {
    fetch: async (request, caller) => (await loadOnce()).fetch(request, caller),
    answerMalformed: () =>
      answer("invalid_header", "The request's URL or its `host` header is malformed."),
    answerFault: () => answer("internal_error", "A fault in Keyward."),
  };
}

async function loadGuarded(load: () => Promise<AdminApp>): Promise<AdminApp> {
  const app = await load();
  if (app.checksTokens) return app;
  throw new Error("an admin app that checks no token must not be reachable over HTTP");
}

function answer(code: ErrorCode, message: string): Response {
  return Response.json(createErrorBody(code, message), { status: ERROR_CODES[code].status });
}
