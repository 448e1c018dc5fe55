/**
 * Takes out of a text whatever looks like a secret. A net below the rule that secrets are never logged: an error's
 * message, a cause, a stack or a value that a caller chose may carry one all the same.
 *
 * It works on JSON too, and leaves it JSON: a quote that is escaped counts as a quote, and no pattern reaches over one.
 * Every pattern is linear: it starts at a fixed word, and what it may run over is limited.
 */
export function scrubSecrets(text: string): string {
  let scrubbed = text;
  for (const [pattern, replacement] of RULES) scrubbed = scrubbed.replace(pattern, replacement);
  return scrubbed;
}

const CENSORED = "[redacted]";

/** Names whose value is a secret, as headers, fields and query parameters have them. */
const SECRET_NAMES = [
  "(?:proxy-)?authorization",
  "(?:x-)?(?:goog-)?api[-_]?key",
  "ocp-apim-subscription-key",
  "(?:admin|access|refresh|auth|id|session|bearer|metrics)?[-_]?token",
  "(?:client|signing|webhook)?[-_]?secret(?:[-_]?(?:access)?[-_]?key)?",
  "private[-_]?key",
  "root[-_]?key",
  "pass(?:word|wd|phrase)",
  "pgpassword",
  "credentials?",
].join("|");

/** A quote, also one that is escaped, however often. */
const QUOTE = String.raw`\\{0,8}["']`;

/** What is taken out behind a name: not what says that there is nothing, or has been taken out already. */
const IN_VALUE = `[^\\s"'\\\\,;&{}\\[\\]()]`;
const VALUE = `(?!${QUOTE}|\\[redacted|null\\b|true\\b|false\\b|(?:bearer|basic)\\b)${IN_VALUE}{1,}`;

/** Longest first where one contains another. */
const RULES: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // PEM (RFC 7468), with line breaks as they are or escaped.
  [
    /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:[^"-]|-(?!----)){0,16384}(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?/g,
    CENSORED,
  ],
  // Credentials in a URL (RFC 3986, section 3.2.1). Database URLs often have a password that should have been encoded.
  [
    /\b((?:postgres|postgresql|mysql|mongodb|redis|rediss|amqps?)(?:\+\w{1,16})?:\/\/)[^\s"\\]{1,1024}@/gi,
    `$1${CENSORED}@`,
  ],
  [/(:\/\/)[^\s"\\/?#]{1,1024}@/g, `$1${CENSORED}@`],
  // Keyward's own, of whatever kind; the listed prefix with its last four characters is shorter than this.
  [/\bkw_([a-z]{2,12})_[A-Za-z0-9]{12,}/g, `kw_$1_${CENSORED}`],
  // And its client tokens, with the tag that signs them.
  [/\bkwc_(dev|stg|live)_[\w-]{12,8192}(?:\.[\w-]{0,128})?/g, `kwc_$1_${CENSORED}`],
  // Keys that providers mark: OpenAI, Anthropic, OpenRouter, DeepSeek (sk-), Stripe, Groq, xAI, Google, Hugging Face,
  // Perplexity, Replicate, GitHub, GitLab, Slack, AWS, npm.
  [/(?<![A-Za-z0-9])sk-[\w-]{8,}/g, `sk-${CENSORED}`],
  [
    /(?<![A-Za-z0-9])(?:[sr]k_(?:live|test)|whsec|gsk|hf|pplx|r8|gh[pousr]|github_pat|glpat|npm)[_-]\w{16,}/g,
    CENSORED,
  ],
  [/(?<![A-Za-z0-9])(?:xai-|AIza|xox[abeoprs]-|AKIA|ASIA)[\w-]{12,}/g, CENSORED],
  // A JSON web token (RFC 7519).
  [/(?<![\w-])eyJ[\w-]{4,4096}\.[\w-]{4,8192}\.?[\w-]{0,2048}/g, CENSORED],
  // RFC 6750 and RFC 7617: whatever follows the scheme.
  [/\b(bearer|basic)(\s{1,8}|%20|\+)[^\s"'\\,;]{6,}/gi, `$1$2${CENSORED}`],
  [
    new RegExp(
      `\\b((?:set-)?cookie2?(?:${QUOTE})?\\s{0,8}[:=]\\s{0,8}(?:${QUOTE})?)[^"\\\\\\r\\n]{1,}`,
      "gi",
    ),
    `$1${CENSORED}`,
  ],
  // `name: value`, `name=value`, `"name":"value"`.
  [
    new RegExp(
      `(?<![A-Za-z0-9])((?:${SECRET_NAMES})(?:${QUOTE})?\\s{0,8}[:=]\\s{0,8}(?:${QUOTE})?)${VALUE}`,
      "gi",
    ),
    `$1${CENSORED}`,
  ],
  // Node's flat lists of headers, `"name","value"`: the name and nothing else, so that the code `invalid_api_key` is none; and
  // no field's name behind a value that is such a word, `"kind":"adminToken","isMuted":false`.
  [
    new RegExp(
      `(${QUOTE}(?:${SECRET_NAMES})${QUOTE}\\s{0,8},\\s{0,8}${QUOTE})${VALUE}(?!${IN_VALUE}|${QUOTE}\\s{0,8}:)`,
      "gi",
    ),
    `$1${CENSORED}`,
  ],
];
