import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const CRASH = join(import.meta.dirname, "report-crash.ts");

/** The end of a process whose work this is. */
function endOf(work: string): Promise<readonly [code: unknown, stderr: string]> {
  const program = `const { endAtUnfinishedWork } = await import(${JSON.stringify(CRASH)});
    const isDone = endAtUnfinishedWork(process);
    ${work};
    isDone();`;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["--input-type=module", "--eval", program],
      (error, _stdout, stderr) => {
        resolve([error === null ? 0 : error.code, stderr]);
      },
    );
  });
}

describe("endAtUnfinishedWork", () => {
  it("says so where the process ends while something is waited for that can't come, and nothing where all came", async () => {
    const [stuck, done] = await Promise.all([
      endOf("await new Promise(() => undefined)"),
      endOf("await new Promise((after) => setTimeout(after, 1))"),
    ]);
    expect(stuck).toEqual([
      1,
      expect.stringMatching(/^error: a fault in Keyward.*\n.*ended before/),
    ]);
    expect(done).toEqual([0, ""]);
  });
});
