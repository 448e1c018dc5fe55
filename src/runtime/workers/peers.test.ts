import { describe, expect, it } from "vitest";
import { Gathering } from "./gathering.ts";
import { createPeers } from "./peers.ts";
import type { FromWorker, PeerAnswer, SupervisorLink, ToWorker } from "./worker-messages.ts";

const METRICS = { kind: "metrics" } as const;

function link(): SupervisorLink & { sent: FromWorker[]; receive: (message: ToWorker) => void } {
  const listeners: ((message: ToWorker) => void)[] = [];
  const sent: FromWorker[] = [];
  return {
    sent,
    send: (message) => sent.push(message),
    onMessage: (listener) => listeners.push(listener),
    receive: (message) => {
      for (const listener of listeners) listener(message);
    },
  };
}

const answered = (text: string): readonly PeerAnswer[] => [{ worker: 1, answer: text }];

describe("a worker among its peers", () => {
  it("answers what it is asked, and says so when it cannot", async () => {
    const supervisor = link();
    const peers = createPeers(2, supervisor);
    supervisor.receive({ type: "question", id: 7, question: METRICS });
    await Promise.resolve();
    peers.onQuestion(() => Promise.resolve("figures"));
    supervisor.receive({ type: "question", id: 8, question: METRICS });
    await Promise.resolve();
    expect(supervisor.sent).toEqual([
      { type: "answer", id: 7, answer: undefined },
      { type: "answer", id: 8, answer: "figures" },
    ]);
  });

  it("tells answers to its questions apart", async () => {
    const supervisor = link();
    const peers = createPeers(1, supervisor);
    const [first, second] = [peers.ask(METRICS), peers.ask(METRICS)];
    const ids = supervisor.sent.map((message) => (message.type === "ask" ? message.id : 0));
    supervisor.receive({ type: "answers", id: ids[1] ?? 0, answers: answered("second") });
    supervisor.receive({ type: "answers", id: ids[0] ?? 0, answers: answered("first") });
    expect([await first, await second]).toEqual([answered("first"), answered("second")]);
  });

  it("answers alone when the supervisor has nothing to say", async () => {
    const supervisor = link();
    const peers = createPeers(3, supervisor);
    peers.onQuestion(() => Promise.resolve("mine"));
    const asked = peers.ask(METRICS);
    supervisor.receive({ type: "answers", id: 1, answers: [] });
    expect(await asked).toEqual([{ worker: 3, answer: "mine" }]);
  });
});

describe("a gathering", () => {
  it("is complete with the last answer, whatever the order, and takes no further one", () => {
    const completed: (readonly PeerAnswer[])[] = [];
    const gathering = new Gathering({
      workers: [2, 1],
      timeoutMs: 60_000,
      onComplete: (answers) => completed.push(answers),
    });
    gathering.answered(2, "two");
    gathering.answered(2, "again");
    gathering.answered(9, "a stranger");
    expect(completed).toEqual([]);
    gathering.answered(1, undefined);
    gathering.answered(1, "late");
    expect(completed).toEqual([
      [
        { worker: 1, answer: undefined },
        { worker: 2, answer: "two" },
      ],
    ]);
  });

  it("does not wait longer than it may for one that says nothing", async () => {
    const completed = Promise.withResolvers<readonly PeerAnswer[]>();
    const gathering = new Gathering({
      workers: [1, 2],
      timeoutMs: 1,
      onComplete: completed.resolve,
    });
    gathering.answered(1, "one");
    expect(await completed.promise).toEqual([
      { worker: 1, answer: "one" },
      { worker: 2, answer: undefined },
    ]);
  });
});
