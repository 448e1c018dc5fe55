import type { RequestListener, ServerResponse } from "node:http";
import { createErrorBody } from "../wire/openai/error-body.ts";

export interface FrontDoorDeps {
  /** Answers below the base path. */
  readonly admin: { readonly basePath: string; readonly listener: RequestListener };
  /** Answers `/metrics`. */
  readonly metrics: RequestListener;
  readonly version: string;
  /** Whether calls can be carried out: the store answers, or has not been needed. */
  readonly isReady: () => Promise<boolean>;
}

/** Everything on the port that is not the data plane: health, the admin API, and a signpost at the root. */
export function createFrontDoor(deps: FrontDoorDeps): RequestListener {
  const { basePath, listener } = deps.admin;
  return (req, res) => {
    const [path] = (req.url ?? "/").split("?", 1);
    if (path === basePath || path?.startsWith(`${basePath}/`)) {
      listener(req, res);
    } else if (path === "/metrics") {
      deps.metrics(req, res);
    } else if (path === "/healthz") {
      sendJson(res, 200, { service: "keyward", status: "ok", version: deps.version });
    } else if (path === "/readyz") {
      void answerReady(deps, res);
    } else if (path === "/") {
      res.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
      res.end(signpost(deps.version, basePath));
    } else {
      const message = `Keyward serves no ${path?.slice(0, 200) ?? "/"}. The data plane is /v1, the admin API ${basePath}.`;
      sendJson(res, 404, createErrorBody("unknown_url", message));
    }
  };
}

async function answerReady(deps: FrontDoorDeps, res: ServerResponse): Promise<void> {
  const isReady = await deps.isReady();
  sendJson(res, isReady ? 200 : 503, { service: "keyward", status: isReady ? "ready" : "unready" });
}

function sendJson(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  res.end(JSON.stringify(body));
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
