/**
 * What the apps of this folder have in common, and nothing of any client: it runs the app's steps one after another and
 * prints what came of them as one line of JSON.
 */

/**
 * `steps`: by name, functions that resolve with `{ text, usage }`; `usage` is what the client itself shows of it, as
 * `{ input, output }`, and null where it shows none. The first that fails ends the app. `errorClasses`: the classes that
 * the client's users catch.
 */
export async function report(errorClasses, steps) {
  const done = {};
  let error = null;
  let current = "";
  try {
    for (const [name, step] of Object.entries(steps)) {
      current = name;
      done[name] = await step();
    }
  } catch (err) {
    error = { step: current, ...describe(err, errorClasses) };
  }
  process.stdout.write(`${JSON.stringify({ done, error })}\n`);
}

function describe(err, errorClasses) {
  const classes = Object.entries(errorClasses).filter(([, type]) => err instanceof type);
  return {
    classes: classes.map(([name]) => name),
    status: err.status ?? err.statusCode ?? null,
    code: err.code ?? err.data?.error?.code ?? err.error?.error?.code ?? null,
    message: String(err.message),
    // A client that tries again may wrap what it got last.
    last: err.lastError === undefined ? null : describe(err.lastError, errorClasses),
  };
}
