/** Where an alert can be sent, and what of that is secret. */
export const ALERT_CHANNEL_KINDS = ["slack", "webhook", "email"] as const;
export type AlertChannelKind = (typeof ALERT_CHANNEL_KINDS)[number];

export interface SlackTarget {
  readonly kind: "slack";
  /** Whoever has it may post. */
  readonly url: string;
}

export interface WebhookTarget {
  readonly kind: "webhook";
  readonly url: string;
  /** `whsec_` and base64, as Standard Webhooks writes it. */
  readonly signingSecret: string;
}

export interface EmailTarget {
  readonly kind: "email";
  readonly smtpUrl: string;
  readonly sender: string;
  readonly recipients: readonly string[];
}

export type AlertTarget = SlackTarget | WebhookTarget | EmailTarget;

/** In the vault, where provider secrets are sealed for an environment, those of channels are for this one. */
export const ALERT_SECRETS_SCOPE = "alerts";

const SIGNING_SECRET_PREFIX = "whsec_";
const SIGNING_SECRET_BYTES = 32;

export function createSigningSecret(randomBytes: (count: number) => Uint8Array): string {
  const bytes = Buffer.from(randomBytes(SIGNING_SECRET_BYTES));
  return `${SIGNING_SECRET_PREFIX}${bytes.toString("base64")}`;
}

/** The key that messages are signed with. */
export function signingKeyOf(signingSecret: string): Uint8Array {
  return Buffer.from(signingSecret.slice(SIGNING_SECRET_PREFIX.length), "base64");
}

/** A URL for people who know it: its host, and its last four characters where it is long enough to keep the rest. */
export function previewUrl(url: string): string {
  const { host } = new URL(url);
  return url.length - host.length < 24 ? `${host}/…` : `${host}/…${url.slice(-4)}`;
}

const EMAIL_PATTERN = /^[^\s@<>()[\],;:\\"\p{C}]{1,64}@[^\s@<>()[\],;:\\"\p{C}]{1,253}$/u;

/** An address alone, without a name before it, without a comment, and without what could begin another header. */
export function isEmailAddress(text: string): boolean {
  return EMAIL_PATTERN.test(text);
}
