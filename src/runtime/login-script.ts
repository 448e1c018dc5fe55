/**
 * What the pages that let people in do, in the browser. The secret of a link is in the fragment, which no server and no log
 * gets to see; it leaves the address bar at once, and is kept with the page's entry in the tab's history alone, so that a
 * reload still has it, until the link is used. Whatever a server says is set as text, never as HTML.
 */
export const LOGIN_SCRIPT = `"use strict";
const find = (id) => document.getElementById(id);
const form = document.querySelector("form");
const page = {
  login: { path: "/login" },
  join: { path: "/invitations/accept", title: "You have joined", isByLink: true },
  reset: { path: "/login/reset", title: "Your password is set", isByLink: true },
}[form.id];
const fragment = location.hash.slice(1);
const secret = page.isByLink ? fragment || (history.state?.secret ?? "") : "";
if (fragment !== "") history.replaceState(page.isByLink ? { secret } : null, "", location.pathname);

function say(text) {
  const said = find("said");
  said.textContent = text;
  said.hidden = text === "";
  if (text !== "") said.focus();
}

async function post(path, body) {
  for (const button of document.querySelectorAll("button")) button.disabled = true;
  say("");
  try {
    const response = await fetch("/api/v1" + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    if (response.ok) return answer;
    if (["invalid_invitation", "invalid_reset_link"].includes(answer?.error?.code)) forgetLink();
    say(answer?.error?.message ?? "The server answered with status " + response.status + ". Try again.");
  } catch {
    say("The server did not answer. Try again.");
  } finally {
    for (const button of document.querySelectorAll("button")) button.disabled = false;
  }
  return undefined;
}

/** It never works again: what could be typed is of no use. */
function forgetLink() {
  history.replaceState(null, "", location.pathname);
  form.remove();
}

function showMember(name, title = "You are logged in") {
  form.remove();
  say("");
  find("joined")?.remove();
  document.querySelector("h1").textContent = title;
  find("who").textContent = name;
  find("member").hidden = false;
  find("logout").focus();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = Object.fromEntries(new FormData(form));
  if (fields.email === "") delete fields.email;
  const member = await post(page.path, page.isByLink ? { ...fields, secret } : fields);
  if (!member) return;
  // The link is used: a reload, or the way back, is a page that says who is logged in.
  history.replaceState(null, "", "/login");
  showMember(member.email ?? member.name, page.title);
});

find("provider")?.addEventListener("click", async () => {
  const begun = await post("/login/oidc", page.isByLink ? { invitation: secret } : {});
  if (begun) location.assign(begun.url);
});

for (const [id, path] of [["logout", "/logout"], ["logout-all", "/sessions/revoke-all"]]) {
  find(id).addEventListener("click", async () => {
    if (await post(path, {})) location.replace("/login");
  });
}

if (page.isByLink && secret === "") {
  form.remove();
  say("The link is not whole: open it as it was sent, or ask for a new one.");
}
// Who comes with a link may be somebody else than who is logged in.
if (secret === "") {
  fetch("/api/v1/me")
    .then((response) => (response.ok ? response.json() : undefined))
    .then((me) => me && showMember(me.name))
    .catch(() => undefined);
}
`;
