/**
 * Several processes on one port: what the supervisor and its workers say to each other. The supervisor carries no calls;
 * it starts workers, starts them again when they die, and passes questions on between them. Messages are cloned, not
 * written as JSON, so that amounts stay exact.
 */
import type { Config } from "../../config/config-schema.ts";
import type { FeedItem } from "../../telemetry/call-feed.ts";
import type { PortUse } from "../bind-port.ts";
import type { StartReport } from "../start-report.ts";

/** What a worker needs to begin. The settings are the supervisor's, so that one that starts later has the same. */
export interface WorkerOrder {
  /** From 1 on; one that replaces another has its number. */
  readonly number: number;
  /** What it reports is shown: no worker has served yet. */
  readonly isFirst: boolean;
  readonly config: Config;
  readonly port: PortUse;
}

/** What a worker may ask of all workers. Each answers with a text. */
export interface PeerQuestion {
  readonly kind: "metrics";
}

export interface PeerAnswer {
  readonly worker: number;
  /** Undefined when it did not answer in time. */
  readonly answer: string | undefined;
}

export type ToWorker =
  | { readonly type: "begin"; readonly order: WorkerOrder }
  | { readonly type: "stop" }
  | { readonly type: "question"; readonly id: number; readonly question: PeerQuestion }
  /** Whether a reader elsewhere waits for this worker's calls. */
  | { readonly type: "forward"; readonly isWanted: boolean }
  | { readonly type: "live"; readonly items: readonly FeedItem[] }
  /** To a question of this worker's own, by the id that it gave. */
  | { readonly type: "answers"; readonly id: number; readonly answers: readonly PeerAnswer[] };

/** `report`: what the start is announced with. */
export type FromWorker =
  | { readonly type: "serving"; readonly report: StartReport }
  | { readonly type: "failed"; readonly message: string; readonly remedy: string }
  | { readonly type: "ask"; readonly id: number; readonly question: PeerQuestion }
  /** Whether somebody reads the live feed of this worker. */
  | { readonly type: "reading"; readonly isReading: boolean }
  | { readonly type: "live"; readonly items: readonly FeedItem[] }
  | { readonly type: "answer"; readonly id: number; readonly answer: string | undefined };

/** The supervisor's side of a worker: messages go out, and come in. */
export interface SupervisorLink {
  /** `onSent` is called when it is on its way, or can't be. */
  send(message: FromWorker, onSent?: () => void): void;
  onMessage(listener: (message: ToWorker) => void): void;
}
