import type { GatewayReply } from "../proxy/gateway-request.ts";
import type { HttpHandler } from "../proxy/http/handler.ts";
import { createErrorBody } from "../wire/openai/error-body.ts";
import type { LoginPages } from "./login-pages.ts";
import { sendJson } from "./send-json.ts";

export interface FrontDoorDeps {
  /** Answers below the base path. */
  readonly admin: { readonly basePath: string; readonly handler: HttpHandler };
  /** Answers `/metrics`. */
  readonly metrics: HttpHandler;
  readonly loginPages: LoginPages;
  readonly version: string;
  /** Whether calls can be carried out: the store answers, or has not been needed. */
  readonly isReady: () => Promise<boolean>;
}

/** Everything on the port that is not the data plane: health, the admin API, and a signpost at the root. */
export function createFrontDoor(deps: FrontDoorDeps): HttpHandler {
  const { basePath, handler } = deps.admin;
  return (request, reply) => {
    const [path] = request.target.split("?", 1);
    const page = deps.loginPages.find(path);
    if (page !== undefined) return page(request, reply);
    if (path === basePath || path?.startsWith(`${basePath}/`)) {
      handler(request, reply);
    } else if (path === "/metrics") {
      deps.metrics(request, reply);
    } else if (path === "/healthz") {
      sendJson(reply, 200, { service: "keyward", status: "ok", version: deps.version });
    } else if (path === "/readyz") {
      void answerReady(deps, reply);
    } else if (path === "/") {
      reply.writeHead(200, ["content-type", "text/plain; charset=utf-8"]);
      reply.end(Buffer.from(signpost(deps.version, basePath)));
    } else {
      const message = `Keyward serves no ${path?.slice(0, 200) ?? "/"}. The data plane is /v1, the admin API ${basePath}.`;
      sendJson(reply, 404, createErrorBody("unknown_url", message));
    }
  };
}

async function answerReady(deps: FrontDoorDeps, reply: GatewayReply): Promise<void> {
  const isReady = await deps.isReady();
  sendJson(reply, isReady ? 200 : 503, {
    service: "keyward",
    status: isReady ? "ready" : "unready",
  });
}

function signpost(version: string, basePath: string): string {
  return [
    `Keyward ${version} is running.`,
    "",
    "Applications:  set OPENAI_BASE_URL to this address with /v1, and OPENAI_API_KEY to a Keyward key.",
    `Admin API:     ${basePath}, described by ${basePath}/openapi.json`,
    "Health:        /healthz and /readyz",
    "Metrics:       /metrics",
    "",
  ].join("\n");
}
