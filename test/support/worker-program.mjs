/** A worker for tests of the supervisor: says what the first argument says a worker would, then dies in that way. */
const [, , manner, marker] = process.argv;
const { existsSync, writeFileSync } = await import("node:fs");

process.on("SIGINT", () => undefined);
process.on("disconnect", () => process.exit());
process.on("message", ({ type, order }) => {
  if (type === "stop") process.exit(0);
  if (manner === "refuses") {
    process.send({ type: "failed", message: "The disk is on fire.", remedy: "Put it out." });
    process.exitCode = 1;
    process.disconnect();
    return;
  }
  if (manner === "dies-first") process.exit(7);
  process.send({ type: "serving", report: { port: order.number } });
  if (manner === "dies") setImmediate(() => process.kill(process.pid, "SIGKILL"));
  if (manner === "dies-once" && order.number === 2 && !existsSync(marker)) {
    writeFileSync(marker, "");
    process.kill(process.pid, "SIGKILL");
  }
});
