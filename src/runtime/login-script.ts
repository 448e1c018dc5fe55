/**
 * What the pages that let people in do, in the browser. The secret of a link is in the fragment, which no server and no log
 * gets to see; it leaves the address bar at once. Whatever a server says is set as text, never as HTML.
 */
export const LOGIN_SCRIPT = `"use strict";
const find = (id) => document.getElementById(id);
const form = document.querySelector("form");
const isJoin = form.id === "join";
const fragment = location.hash.slice(1);
if (fragment !== "") history.replaceState(null, "", location.pathname);
const secret = isJoin ? fragment : "";

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
    say(answer?.error?.message ?? "The server answered with status " + response.status + ". Try again.");
  } catch {
    say("The server did not answer. Try again.");
  } finally {
    for (const button of document.querySelectorAll("button")) button.disabled = false;
  }
  return undefined;
}

function showMember(name) {
  form.remove();
  document.querySelector("h1").textContent = isJoin ? "You have joined" : "You are logged in";
  find("who").textContent = name;
  find("member").hidden = false;
  find("logout").focus();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = Object.fromEntries(new FormData(form));
  if (fields.email === "") delete fields.email;
  const member = isJoin
    ? await post("/invitations/accept", { ...fields, secret })
    : await post("/login", fields);
  if (member) showMember(member.email ?? member.name);
});

find("provider")?.addEventListener("click", async () => {
  const begun = await post("/login/oidc", isJoin ? { invitation: secret } : {});
  if (begun) location.assign(begun.url);
});

find("logout").addEventListener("click", async () => {
  if (await post("/logout", {})) location.assign("/login");
});

if (isJoin && secret === "") {
  form.remove();
  say("The link is not whole: open it as it was sent, or ask for a new one.");
} else if (!isJoin && fragment === "in") {
  fetch("/api/v1/me")
    .then((response) => (response.ok ? response.json() : undefined))
    .then((me) => me && showMember(me.name))
    .catch(() => undefined);
}
`;
