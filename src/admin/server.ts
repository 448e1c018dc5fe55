import type { RequestListener } from "node:http";
import { getRequestListener, RequestError } from "@hono/node-server";
import { ERROR_CODES } from "../core/errors/codes.ts";
import { createErrorBody } from "../wire/openai/error-body.ts";
import type { AdminApp } from "./admin-app.ts";

/**
 * The admin API as a listener for `node:http`, to be mounted for `/api/v1/*`. Refuses an app that lets everybody in:
 * that one is for calls inside the process only.
 */
export function createAdminListener(app: AdminApp): RequestListener {
  if (!app.checksTokens) {
    throw new Error("an admin app that checks no token must not be reachable over HTTP");
  }
  const listener = getRequestListener(
    async (request, { outgoing }) => {
      const answer = await app.fetch(request);
      if (answer.body === null || isJson(answer)) return answer;
      return new Response(ReadableStream.from(orCutOff(answer.body, outgoing)), answer);
    },
    {
      // The globals belong to the whole process, the data plane included.
      overrideGlobalObjects: false,
      errorHandler: (error) => answerTo(error instanceof RequestError),
    },
  );
  return (request, response) => void listener(request, response);
}

/** What does not reach the app: a host that is no host. The app answers all the rest, its own faults included. */
function answerTo(isMalformed: boolean): Response {
  const code = isMalformed ? "invalid_header" : "internal_error";
  const message = isMalformed
    ? "The request's URL or its `host` header is malformed."
    : "A fault in Keyward.";
  return Response.json(createErrorBody(code, message), { status: ERROR_CODES[code].status });
}

function isJson(answer: Response): boolean {
  return answer.headers.get("content-type") === "application/json";
}

/**
 * Passes a streamed body on. When it breaks off, the connection is cut, so that half an answer cannot pass for a
 * whole one; whoever broke it has told the log. (The adapter would print the error and write it behind the body.)
 */
async function* orCutOff(
  body: ReadableStream<Uint8Array>,
  outgoing: { destroy(): unknown },
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch {
    outgoing.destroy();
  }
}
