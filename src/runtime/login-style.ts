/** The style of the pages that let people in. */
export const LOGIN_STYLE = `:root {
  color-scheme: light dark;
  --ground: light-dark(#f5f6f8, #14161a);
  --card: light-dark(#ffffff, #1d2026);
  --text: light-dark(#1b1f27, #e8eaee);
  --quiet: light-dark(#5a6270, #a4acb9);
  --line: light-dark(#c9ced8, #434a57);
  --accent: light-dark(#1f5fd0, #7fb0ff);
  --on-accent: light-dark(#ffffff, #10131a);
  --bad: light-dark(#a3161f, #ff9d9d);
  --bad-ground: light-dark(#fdecec, #3a1d20);
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body {
  margin: 0;
  min-height: 100vh;
  display: grid;
  place-items: center;
  padding: 1rem;
  background: var(--ground);
  color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif;
}
main {
  width: 100%;
  max-width: 25rem;
  padding: 2rem;
  background: var(--card);
  border: 1px solid var(--line);
  border-radius: 0.75rem;
}
.brand { margin: 0; color: var(--quiet); font-weight: 600; letter-spacing: 0.02em; }
h1 { margin: 0 0 1.25rem; font-size: 1.5rem; line-height: 1.25; }
label { display: block; margin-top: 1rem; font-weight: 600; }
input, button, .button {
  display: block;
  width: 100%;
  min-height: 2.75rem;
  padding: 0.5rem 0.75rem;
  font: inherit;
  border-radius: 0.5rem;
}
input { margin-top: 0.25rem; border: 1px solid var(--line); background: var(--ground); color: inherit; }
button, .button {
  margin-top: 1.5rem;
  border: 1px solid var(--accent);
  background: var(--accent);
  color: var(--on-accent);
  font-weight: 600;
  text-align: center;
  text-decoration: none;
  cursor: pointer;
}
#provider, #logout { background: transparent; color: var(--accent); }
#provider { margin-top: 0; }
button:disabled { opacity: 0.6; cursor: progress; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.hint { margin: 0.25rem 0 0; color: var(--quiet); font-size: 0.875rem; }
.aside { margin-top: 1.5rem; }
.or { margin: 1.25rem 0 0; color: var(--quiet); font-size: 0.875rem; text-align: center; }
code { font-size: 0.9em; overflow-wrap: anywhere; }
strong { overflow-wrap: anywhere; }
[role="alert"] {
  margin: 0 0 1rem;
  padding: 0.75rem;
  border: 1px solid var(--bad);
  border-radius: 0.5rem;
  background: var(--bad-ground);
  color: var(--bad);
  overflow-wrap: anywhere;
}
`;
