import type { LeakedKind, LeakOutcome } from "../leaks/leak.ts";
import type { AlertContent, AlertFact, FormatTime } from "./alert-content.ts";

export interface LeakFacts {
  readonly kind: LeakedKind;
  /** Of the key or token. */
  readonly id: string;
  readonly name: string;
  readonly preview: string | null;
  readonly environment: string | null;
  readonly outcome: LeakOutcome;
  /** What a stranger said of it. */
  readonly place: string | null;
  readonly source: string | null;
  readonly reportedAtMs: number;
}

const WORDS: Readonly<Record<LeakedKind, string>> = {
  gatewayKey: "Gateway key",
  providerKey: "Provider key",
  providerAdminKey: "Admin key of provider account",
  adminToken: "Admin token",
  clientToken: "Client token for customer",
  session: "Session of member",
  invitation: "Invitation of",
  passwordReset: "Link for a new password of member",
};

const STATES: Readonly<Record<LeakOutcome, string>> = {
  revoked: "and was revoked",
  old_secret_ended: "with its old secret, which is refused now",
  old_secret_valid: "with an old secret, which the provider may still take",
  still_valid: "and is still valid",
  noted: "",
};

export function describeLeak(leak: LeakFacts, formatTime: FormatTime): AlertContent {
  const { kind, name, environment, outcome } = leak;
  const whose = environment === null ? name : `${name} of ${environment}`;
  return {
    severity: "critical",
    title: `${WORDS[kind]} ${whose} has leaked ${STATES[outcome]}`.trimEnd(),
    facts: [
      ...fact("key", leak.preview),
      ...fact("found at (by the report)", leak.place),
      ...fact("found in (by the report)", leak.source),
      { label: "reported", value: formatTime(leak.reportedAtMs) },
      { label: "what to do", value: ADVICE[kind](leak) },
    ],
    command: COMMANDS[kind](leak),
  };
}

function fact(label: string, value: string | null): readonly AlertFact[] {
  return value === null ? [] : [{ label, value }];
}

/** Ids and no names: what stands in a command is typed into a shell. */
const COMMANDS: Readonly<Record<LeakedKind, (leak: LeakFacts) => string>> = {
  gatewayKey: ({ id, outcome }) =>
    outcome === "still_valid" ? `keyward keys revoke ${id}` : `keyward usage events --key ${id}`,
  providerKey: ({ id, outcome }) =>
    outcome === "old_secret_valid"
      ? `keyward rotations list --key ${id}`
      : `keyward provider-keys rotate ${id} --compromise`,
  providerAdminKey: ({ id }) => `keyward provider-accounts set-admin-key ${id}`,
  adminToken: ({ outcome }) =>
    outcome === "still_valid" ? "keyward doctor" : "keyward admin-tokens list",
  clientToken: ({ outcome }) =>
    outcome === "still_valid" ? "keyward client-tokens revoke --help" : "keyward leaks list",
  session: () => "keyward audit list --from 7d",
  invitation: () => "keyward members list",
  passwordReset: () => "keyward audit list --from 7d",
};

const ADVICE: Readonly<Record<LeakedKind, (leak: LeakFacts) => string>> = {
  gatewayKey: ({ outcome }) => GATEWAY_KEY_ADVICE[outcome],
  providerKey: ({ outcome }) =>
    outcome === "old_secret_valid"
      ? "delete this secret at the provider now: the key has another one, so that no call of yours needs it; its rotation says what has become of it"
      : "its calls go on: give it another secret now, and see who used the old one (keyward provider-keys users)",
  providerAdminKey: () =>
    "whoever has it makes and deletes keys of the account: make another at the provider, hand it in here, delete this one there, and look for keys that none of you made (keyward provider-keys audit)",
  adminToken: ({ outcome, name }) =>
    outcome === "still_valid"
      ? `it is the setting ${name}: put another token there and restart`
      : "look in the audit log for what it was used for (keyward audit list)",
  clientToken: ({ outcome }) =>
    outcome === "still_valid"
      ? "it is good for an hour at most: revoke the customer's, or wait"
      : "every client token of the customer from before is refused; its pages ask your server for another",
  session: () =>
    "whoever had it was the member until then: look in the audit log for what was done, in the list of tokens for what was made, and how a cookie could leave that browser",
  invitation: () =>
    "nobody joins by it any more: see that every member is one of you, and invite again",
  passwordReset: () =>
    "nobody sets a password by it any more, and the member's own still holds: make another link, and hand it over by a way that others do not read",
};

const GATEWAY_KEY_ADVICE: Readonly<Record<LeakOutcome, string>> = {
  revoked: "give the application another key (keyward keys create); see what this one was used for",
  old_secret_valid: "",
  old_secret_ended:
    "what still calls with the old secret needs the new one; see what it was used for",
  still_valid: "the environment's policy only warns: revoke or rotate it yourself",
  noted: "",
};
