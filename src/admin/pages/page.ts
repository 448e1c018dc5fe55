/**
 * The few pages that let people in. Their style and their scripts are files of their own, so that a page can forbid
 * everything that stands in itself.
 */

export interface PageParts {
  readonly title: string;
  /** HTML. What somebody else chose goes through `escapeHtml`. */
  readonly body: string;
  /** Whether `/login.js` runs in it. */
  readonly hasScript?: boolean;
}

export function formatPage({ title, body, hasScript = false }: PageParts): string {
  const script = hasScript ? '\n<script src="/login.js" defer></script>' : "";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${escapeHtml(title)} · Keyward</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="/login.css">${script}
</head>
<body>
<main>
<p class="brand">Keyward</p>
<h1>${escapeHtml(title)}</h1>
${body}
</main>
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** Nothing but the page's own script and style, and requests to this server. */
export const PAGE_HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  // Addresses of these pages hold codes of logins.
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
} as const;
