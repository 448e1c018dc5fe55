#!/usr/bin/env node
/** The client's entry. The only place in cli/ that catches. */
const OLDEST_NODE = 24;
const LEFTOVERS_MS = 1_000;

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  process.stderr.write(
    `error: Keyward needs Node ${OLDEST_NODE} or newer; this is ${process.version}\nnext: install it from https://nodejs.org, or with your version manager\n`,
  );
  process.exitCode = 1;
} else {
  // After the check: what comes now does not load on an older Node.
  const [{ endAtUncaughtErrors, endAtUnfinishedWork }, { runCli }, { processIo }] =
    await Promise.all([import("./report-crash.ts"), import("./run-cli.ts"), import("./cli-io.ts")]);
  endAtUncaughtErrors(process);
  const io = processIo();
  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });
  const isDone = endAtUnfinishedWork(process);
  try {
    await runCli(process.argv.slice(2), io);
    // A connection that nobody answers on any more does not keep a process whose work is done.
    setTimeout(() => process.exit(), LEFTOVERS_MS).unref();
  } catch (error) {
    const { reportFailure } = await import("./report-failure.ts");
    process.exitCode = reportFailure(error, io);
  } finally {
    isDone();
  }
}
