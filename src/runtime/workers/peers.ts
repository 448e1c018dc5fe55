import type { SharedFeed } from "../../telemetry/call-feed.ts";
import type { PortUse } from "../bind-port.ts";
import { shareFeed } from "./share-feed.ts";
import type { PeerAnswer, PeerQuestion, SupervisorLink } from "./worker-messages.ts";

/** Where a worker stands among the others. */
export interface WorkerPlace {
  readonly port: PortUse;
  readonly peers: Peers;
  /** See WorkerOrder. */
  readonly isFirst: boolean;
}

/** Asks all workers of this one's supervisor, itself among them. */
export interface Peers {
  /** In the order of their numbers; `answer` is undefined for one that does not answer in time. */
  ask(question: PeerQuestion): Promise<readonly PeerAnswer[]>;
  /** What this worker answers with. */
  onQuestion(answer: (question: PeerQuestion) => Promise<string>): void;
  /** Readers of one worker's feed get the calls of all. */
  share(feed: SharedFeed): void;
}

/** Longer than the supervisor waits for the slowest worker. When it is gone, this worker answers alone. */
const GATHER_TIMEOUT_MS = 3_000;

const answerNothing = (_question: PeerQuestion): Promise<string> =>
  Promise.reject(new Error("this worker does not serve yet"));

export function createPeers(worker: number, link: SupervisorLink): Peers {
  let answer = answerNothing;
  const waiting = new Map<number, (answers: readonly PeerAnswer[]) => void>();
  let asked = 0;
  link.onMessage((message) => {
    if (message.type === "question") {
      const { id, question } = message;
      answer(question).then(
        (text) => link.send({ type: "answer", id, answer: text }),
        // The supervisor goes on without it.
        () => link.send({ type: "answer", id, answer: undefined }),
      );
    } else if (message.type === "answers") {
      waiting.get(message.id)?.(message.answers);
    }
  });
  return {
    async ask(question) {
      asked += 1;
      const id = asked;
      const gathered = Promise.withResolvers<readonly PeerAnswer[]>();
      waiting.set(id, gathered.resolve);
      const timer = setTimeout(() => gathered.resolve([]), GATHER_TIMEOUT_MS);
      link.send({ type: "ask", id, question });
      const answers = await gathered.promise;
      clearTimeout(timer);
      waiting.delete(id);
      return answers.length > 0 ? answers : [{ worker, answer: await answer(question) }];
    },
    onQuestion: (given) => {
      answer = given;
    },
    share: (feed) => shareFeed(feed, link),
  };
}
