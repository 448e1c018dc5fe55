const POLL_MS = 3;

/** Waits for a state, not for a time: asks again and again until it holds, and fails at the deadline. */
export async function until<Value>(
  what: string,
  read: () => Value | undefined | false | Promise<Value | undefined | false>,
  deadlineMs = 10_000,
): Promise<Value> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const value = await read();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > end) throw new Error(`${what} did not happen within ${deadlineMs} ms`);
    // Not in a spin: what is waited for often needs the same processor.
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
}

/** Waits until a count that grows by itself has stopped: it is the same after many turns of the event loop. */
export async function standstill(read: () => number): Promise<void> {
  let before = Number.NaN;
  await until("a standstill", async () => {
    if (read() === before) return true;
    before = read();
    await turns(50);
    return false;
  });
}

/** Lets the event loop turn so often: what has reached this process is read by then. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
