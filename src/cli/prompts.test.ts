import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { askSecret, confirm } from "./prompts.ts";

function terminal(isInteractive = true) {
  const [stdin, stderr] = [new PassThrough(), new PassThrough()];
  let shown = "";
  stderr.on("data", (piece: Buffer) => (shown += piece.toString()));
  return { io: { stdin, stderr, isInteractive }, stdin, shown: () => shown };
}

test("a secret that is typed is not shown", async () => {
  const { io, stdin, shown } = terminal();
  const asked = askSecret(io, "Secret: ");
  stdin.write("hunter2\n");
  expect(await asked).toBe("hunter2");
  expect(shown()).toBe("Secret: \n");
});

test.each([
  ["y", true],
  ["YES", true],
  ["", false],
  ["n", false],
  ["yesterday", false],
])("%j agrees: %s", async (typed, expected) => {
  const { io, stdin } = terminal();
  const asked = confirm(io, "Revoke it?", "add --yes");
  stdin.write(`${typed}\n`);
  expect(await asked).toBe(expected);
});

test("without a terminal nothing is asked, and nothing agreed to", async () => {
  const { io } = terminal(false);
  await expect(confirm(io, "Revoke it?", "add --yes")).rejects.toMatchObject({
    advice: "add --yes",
    exitCode: 1,
  });
});

test.each([
  ["Control-C", "\u0003"],
  ["Control-D", "\u0004"],
])("%s cancels", async (_, key) => {
  const { io, stdin } = terminal();
  const asked = askSecret(io, "Secret: ");
  stdin.write(key);
  await expect(asked).rejects.toThrow("cancelled; nothing was changed");
});

test("the end of the input cancels", async () => {
  const { io, stdin } = terminal();
  const asked = confirm(io, "Revoke it?", "add --yes");
  stdin.end();
  await expect(asked).rejects.toThrow("cancelled");
});
