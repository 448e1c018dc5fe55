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
