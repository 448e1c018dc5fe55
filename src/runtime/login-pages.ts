import type { GatewayReply } from "../proxy/gateway-request.ts";
import type { HttpHandler } from "../proxy/http/handler.ts";

/** Nothing but the page's own script and style, and requests to this server. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:24rem;margin:4rem auto;padding:0 1rem}
label,input,button{display:block;width:100%;box-sizing:border-box;font:inherit}
input{margin:.25rem 0 1rem;padding:.5rem}button{padding:.5rem}`;

/** The secret of a link is in the fragment, which no server and no log gets to see; it leaves the address bar at once. */
const SCRIPT = `const form = document.querySelector("form");
const said = document.querySelector("output");
const secret = location.hash.slice(1);
if (secret) history.replaceState(null, "", location.pathname);
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  said.textContent = "";
  const fields = Object.fromEntries(new FormData(form));
  if (fields.email === "") delete fields.email;
  const isJoin = form.id === "join";
  const response = await fetch(isJoin ? "/api/v1/invitations/accept" : "/api/v1/login", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(isJoin ? { ...fields, secret } : fields),
  }).catch(() => undefined);
  const answer = await response?.json().catch(() => undefined);
  said.textContent = response?.ok
    ? "You are logged in."
    : (answer?.error?.message ?? "The server did not answer. Try again.");
  if (response?.ok) form.remove();
});`;

function page(kind: "join" | "login"): string {
  const isJoin = kind === "join";
  const title = isJoin ? "Join Keyward" : "Log in to Keyward";
  const hint = isJoin ? " (unless you were invited by it)" : "";
  const complete = isJoin ? "new-password" : "current-password";
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/login.css">
<script src="/login.js" defer></script></head><body><h1>${title}</h1><form id="${kind}">
<label>E-mail${hint}<input name="email" type="email" autocomplete="username"></label>
<label>Password<input name="password" type="password" required autocomplete="${complete}"></label>
<button>${isJoin ? "Join" : "Log in"}</button></form><p><output role="status"></output></p></body></html>
`;
}

const FILES: ReadonlyMap<string, readonly [type: string, text: string]> = new Map([
  ["/join", ["text/html; charset=utf-8", page("join")]],
  ["/login", ["text/html; charset=utf-8", page("login")]],
  ["/login.js", ["text/javascript; charset=utf-8", SCRIPT]],
  ["/login.css", ["text/css; charset=utf-8", STYLE]],
]);

/** The two pages that let a person in while there is no dashboard. Undefined for every other path. */
export function findLoginPage(path: string | undefined): HttpHandler | undefined {
  const file = FILES.get(path ?? "");
  return file && ((_request, reply) => send(reply, file));
}

function send(reply: GatewayReply, [type, text]: readonly [string, string]): void {
  reply.writeHead(200, [
    "content-type",
    type,
    "content-security-policy",
    POLICY,
    "x-content-type-options",
    "nosniff",
    "referrer-policy",
    "no-referrer",
    "cache-control",
    "no-store",
  ]);
  reply.end(Buffer.from(text));
}
