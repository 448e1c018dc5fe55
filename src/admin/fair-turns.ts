/** Runs work one piece at a time. `whose`: of everybody who waits, each has a turn before anybody has another. */
export type FairTurns = <Result>(whose: string, work: () => Promise<Result>) => Promise<Result>;

export function createFairTurns(): FairTurns {
  /** In the order of their next turns. */
  const waiting = new Map<string, (() => Promise<unknown>)[]>();
  let isRunning = false;

  const run = async (): Promise<void> => {
    if (isRunning) return;
    isRunning = true;
    for (;;) {
      const [first] = waiting;
      if (first === undefined) break;
      const [whose, pieces] = first;
      await pieces.shift()?.();
      // After it, so that what has come meanwhile from the same one is behind everybody else's.
      waiting.delete(whose);
      if (pieces.length > 0) waiting.set(whose, pieces);
    }
    isRunning = false;
  };

  return <Result>(whose: string, work: () => Promise<Result>): Promise<Result> =>
    new Promise((resolve, reject) => {
      const pieces = waiting.get(whose) ?? [];
      pieces.push(() => work().then(resolve, reject));
      waiting.set(whose, pieces);
      void run();
    });
}
