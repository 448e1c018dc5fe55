import { expect, it } from "vitest";
import { Exposition } from "./exposition.ts";
import { mergeExpositions } from "./merge-expositions.ts";

function exposition(calls: number, environment: string): string {
  const to = new Exposition();
  to.add("keyward_in_flight_calls", calls);
  to.add("keyward_refusals_total", calls, environment, "invalid_api_key");
  to.addHistogram(
    "keyward_call_first_byte_seconds",
    { counts: [calls, 0], sum: 0.5 },
    [1],
    [environment, "chat.completions", "openai"],
  );
  return to.toString();
}

it("keeps the samples of a metric together, each with the worker that it is of", () => {
  const texts = [exposition(2, "production"), exposition(5, 'odd "name" {a} # HELP')];
  const merged = mergeExpositions([
    { worker: 1, text: texts[0] },
    { worker: 2, text: texts[1] },
    { worker: 3, text: undefined },
  ]);
  const lines = merged.split("\n");
  expect(lines.filter((line) => line.startsWith("keyward_worker_up"))).toEqual([
    'keyward_worker_up{worker="1"} 1',
    'keyward_worker_up{worker="2"} 1',
    'keyward_worker_up{worker="3"} 0',
  ]);
  const at = lines.indexOf("# TYPE keyward_in_flight_calls gauge");
  expect(lines.slice(at + 1, at + 3)).toEqual([
    'keyward_in_flight_calls{worker="1"} 2',
    'keyward_in_flight_calls{worker="2"} 5',
  ]);
  expect(lines).toContain(
    'keyward_refusals_total{worker="2",environment="odd \\"name\\" {a} # HELP",code="invalid_api_key"} 5',
  );
  expect(lines).toContain(
    'keyward_call_first_byte_seconds_count{worker="1",environment="production",operation="chat.completions",provider="openai"} 2',
  );
  const heads = lines.filter((line) => line.startsWith("# TYPE"));
  expect(new Set(heads).size).toBe(heads.length);
  expect(merged.endsWith("\n")).toBe(true);
});
