/** Nothing came in time. */
export class NoAnswerError extends Error {}

/**
 * Rejects with NoAnswerError when the promise has not settled by then; what becomes of it afterwards is nobody's concern any
 * more.
 */
export async function withinDeadline<Value>(
  deadlineMs: number,
  promise: Promise<Value>,
): Promise<Value> {
  const silence = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => silence.reject(new NoAnswerError(`no answer came within ${deadlineMs} ms`)),
    deadlineMs,
  );
  try {
    return await Promise.race([promise, silence.promise]);
  } finally {
    clearTimeout(timer);
  }
}
