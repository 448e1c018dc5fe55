/** Loaded before Keyward: each SIGUSR2 sets the wall clock off by the next number of days in CLOCK_TEST_DAYS. */
import { isMainThread } from "node:worker_threads";

const realNow = Date.now.bind(Date);
const days = (process.env["CLOCK_TEST_DAYS"] ?? "").split(",").map(Number);
let offsetMs = 0;
Date.now = () => realNow() + offsetMs;

if (isMainThread) {
  process.on("SIGUSR2", () => {
    offsetMs = (days.shift() ?? 0) * 86_400_000;
  });
}
