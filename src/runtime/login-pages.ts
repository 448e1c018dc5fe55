import { escapeHtml, formatPage, PAGE_HEADERS } from "../admin/pages/page.ts";
import type { Config } from "../config/config-schema.ts";
import type { GatewayReply } from "../proxy/gateway-request.ts";
import type { HttpHandler } from "../proxy/http/handler.ts";
import { LOGIN_SCRIPT } from "./login-script.ts";
import { LOGIN_STYLE } from "./login-style.ts";

/** The pages that let a person in. */
export interface LoginPages {
  /** Undefined for a path that is none of theirs. */
  find(path: string | undefined): HttpHandler | undefined;
}

type File = readonly [type: string, bytes: Buffer];

export function createLoginPages(config: Pick<Config, "oidcIssuer" | "oidcName">): LoginPages {
  const providerName = config.oidcIssuer === null ? null : config.oidcName;
  const files = new Map<string, File>([
    ["/login", html("Log in", loginBody(providerName))],
    ["/join", html("Join", joinBody(providerName))],
    ["/reset", html("New password", RESET_BODY)],
    ["/login.js", ["text/javascript; charset=utf-8", Buffer.from(LOGIN_SCRIPT)]],
    ["/login.css", ["text/css; charset=utf-8", Buffer.from(LOGIN_STYLE)]],
  ]);
  return {
    find: (path) => {
      const file = files.get(path ?? "");
      return file && ((_request, reply) => send(reply, file));
    },
  };
}

function html(title: string, body: string): File {
  return ["text/html; charset=utf-8", Buffer.from(formatPage({ title, body, hasScript: true }))];
}

/** Where the script says what came of it, also to those who hear the page. */
const SAID = `<p id="said" role="alert" tabindex="-1" hidden></p>
<noscript><p role="alert">This page needs JavaScript.</p></noscript>`;

const MEMBER = `<section id="member" hidden>
<p>You are logged in as <strong id="who"></strong>.</p>
<p class="hint">There are no other pages: Keyward is used by its command line and its API.</p>
<button id="logout" type="button">Log out</button>
<button id="logout-all" type="button">Log out everywhere</button>
</section>`;

const EMAIL = `<label for="email">E-mail</label>
<input id="email" name="email" type="email" autocomplete="username" autocapitalize="none" spellcheck="false"`;

const NEW_PASSWORD = `<label for="password">New password</label>
<input id="password" name="password" type="password" autocomplete="new-password" required minlength="12" aria-describedby="password-hint">
<p class="hint" id="password-hint">At least 12 characters.</p>`;

const RESET_BODY = `${SAID}
<form id="reset">
<p>Choose the password that you log in with from now on. You are logged out everywhere else.</p>
${NEW_PASSWORD}
<button>Set the password</button>
</form>
${MEMBER}`;

function loginBody(providerName: string | null): string {
  return `${SAID}
<form id="login">
${providerButton("Log in with", providerName)}${EMAIL} required>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button>Log in</button>
<p class="hint aside">No account, or a forgotten password? An owner or admin makes you a link. For an owner who is locked out
<code>keyward members reset-password</code> on the server's machine makes one.</p>
</form>
${MEMBER}`;
}

function joinBody(providerName: string | null): string {
  return `${SAID}
<form id="join">
<p>You were invited. Choose how you log in from now on.</p>
${providerButton("Join with", providerName)}${EMAIL} aria-describedby="email-hint">
<p class="hint" id="email-hint">Leave it empty if you were invited by your address.</p>
${NEW_PASSWORD}
<button>Join</button>
</form>
<p class="hint aside" id="joined">Have you joined already? <a href="/login">Log in</a>.</p>
${MEMBER}`;
}

function providerButton(words: string, name: string | null): string {
  if (name === null) return "";
  return `<button id="provider" type="button">${words} ${escapeHtml(name)}</button>
<p class="or">or with a password</p>
`;
}

function send(reply: GatewayReply, [type, bytes]: File): void {
  reply.writeHead(200, ["content-type", type, ...Object.entries(PAGE_HEADERS).flat()]);
  reply.end(bytes);
}
