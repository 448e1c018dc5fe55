import OpenAI from "openai";
import { afterEach, beforeEach, expect } from "vitest";
import { startSimulator, type Simulator } from "../../src/providers/simulator/start-simulator.ts";

export const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
export const JSON_LIMIT_BYTES = 100_000;
export const UPLOAD_LIMIT_BYTES = 3_000_000;

export interface SimulatorUnderTest {
  readonly simulator: Simulator;
  readonly client: OpenAI;
  /** The simulator's clock goes on. */
  advance(byMs: number): void;
}

/** A fresh simulator for every test of the file, the official client for it, and no fault left unnoticed. */
export function simulatorUnderTest(): SimulatorUnderTest {
  let nowMs = NOW_MS;
  let simulator: Simulator | undefined;
  let client: OpenAI | undefined;
  const faults: unknown[] = [];
  beforeEach(async () => {
    nowMs = NOW_MS;
    simulator = await startSimulator({
      host: "127.0.0.1",
      port: 0,
      nowMs: () => nowMs,
      maxJsonBodyBytes: JSON_LIMIT_BYTES,
      maxUploadBytes: UPLOAD_LIMIT_BYTES,
      onFault: (fault) => faults.push(fault),
    });
    client = new OpenAI({ apiKey: "any", baseURL: simulator.baseUrl, maxRetries: 0 });
  });
  afterEach(async () => {
    await simulator?.close();
    expect(faults).toEqual([]);
  });
  return {
    advance: (byMs) => {
      nowMs += byMs;
    },
    get simulator() {
      if (simulator === undefined) throw new Error("the simulator runs inside tests only");
      return simulator;
    },
    get client() {
      if (client === undefined) throw new Error("the client is there inside tests only");
      return client;
    },
  };
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
