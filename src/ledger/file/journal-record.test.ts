import { crc32 } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyEvent, anyIntent } from "../../../test/support/arbitrary-calls.ts";
import { eventLine, intentLine } from "../../../test/support/journal-lines.ts";
import { ids } from "../../../test/support/ledger-under-test.ts";
import { sampleIntent } from "../../../test/support/sample-calls.ts";
import type { ClientTokenId } from "../../core/ids/ids.ts";
import type { CallIntent, UsageEvent } from "../../core/usage/usage-event.ts";
import { decodeRecord, encodeEvent, encodeHeader, writeIntent } from "./journal-record.ts";

/** The one line of a record, without its line feed. */
function lineOf(record: string): Buffer {
  const bytes = Buffer.from(record);
  expect(bytes.indexOf(0x0a)).toBe(bytes.length - 1);
  return bytes.subarray(0, -1);
}

function withCrc(body: string): Buffer {
  return Buffer.from(`${crc32(body).toString(16).padStart(8, "0")} ${body}`);
}

describe("a journal record", () => {
  test("is one line that reads back as the intent it was", () => {
    fc.assert(
      fc.property(anyIntent, (intent) => {
        const record = decodeRecord(lineOf(intentLine(intent)));
        expect(record).toEqual({ kind: "opened", intent });
      }),
    );
  });

  test("is one line that reads back as the event it was, to the pico", () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const record = decodeRecord(lineOf(eventLine(event)));
        expect(record).toEqual({ kind: "settled", event });
      }),
    );
  });

  test("of an event is what the event says, whatever was written of its intent", () => {
    const members = Object.keys(sampleIntent(ids)) as (keyof CallIntent)[];
    fc.assert(
      fc.property(anyEvent, anyIntent, fc.subarray(members), (event, other, changed) => {
        const changes = Object.fromEntries(changed.map((name) => [name, other[name]]));
        const opened = writeIntent({ ...event, ...changes });
        expect(encodeEvent(event, opened)).toBe(eventLine(event));
      }),
    );
  });

  test("begins with the CRC-32 of its array in eight hex digits, as what older versions wrote", () => {
    fc.assert(
      fc.property(anyIntent, (intent) => {
        const text = lineOf(intentLine(intent)).toString();
        expect(text.slice(0, 8)).toBe(crc32(text.slice(9)).toString(16).padStart(8, "0"));
      }),
    );
  });

  test("keeps what an event has to do with work that is charged later", () => {
    const path = "/responses/resp_1";
    const work = { kind: "response", objectId: "resp_1", path } as const;
    const steps = [
      { step: "begun", work, firstCheckAtMs: 7 },
      { step: "ended", objectId: "resp_1", report: null },
    ] as const;
    for (const deferred of steps) {
      const event = { ...fc.sample(anyEvent, 1)[0], deferred } as UsageEvent;
      expect(decodeRecord(lineOf(eventLine(event)))).toEqual({ kind: "settled", event });
      const { deferred: _, ...plain } = event;
      expect(encodeEvent(event, writeIntent(plain))).toBe(eventLine(event));
      expect(encodeEvent(plain, writeIntent(event))).toBe(eventLine(plain));
    }
  });

  test("keeps which client token a call came with, also beside such work", () => {
    const clientTokenId = "ctk_01JZ6Y4V2S8W3N5R7T9X0B1C2D" as ClientTokenId;
    const ended = { step: "ended", objectId: "resp_1", report: null } as const;
    for (const more of [{ clientTokenId }, { clientTokenId, deferred: ended }]) {
      const event = { ...fc.sample(anyEvent, 1)[0], ...more } as UsageEvent;
      expect(decodeRecord(lineOf(eventLine(event)))).toEqual({ kind: "settled", event });
    }
  });

  test("is one line that reads back as the header it was", () => {
    const abandoned = [
      { segment: 7, bytes: 0 },
      { segment: 8, bytes: 4_194_304 },
    ];
    expect(decodeRecord(lineOf(encodeHeader(abandoned)))).toEqual({ kind: "header", abandoned });
  });

  test("is refused when any byte of it is changed, lost or added", () => {
    fc.assert(
      fc.property(anyEvent, fc.nat(), fc.integer({ min: 1, max: 255 }), (event, position, flip) => {
        const line = lineOf(eventLine(event));
        const at = position % line.length;
        const changed = line.map((byte, index) => (index === at ? byte ^ flip : byte));
        expect(decodeRecord(Buffer.from(changed))).toBeUndefined();
        expect(decodeRecord(line.subarray(0, at))).toBeUndefined();
        expect(decodeRecord(line.subarray(at + 1))).toBeUndefined();
        expect(decodeRecord(Buffer.concat([line, Buffer.of(flip)]))).toBeUndefined();
      }),
    );
  });

  test("of an older Keyward, where a call had one attempt, reads back as the first", () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const [kind, version, intent, outcome] = JSON.parse(
          lineOf(eventLine(event)).toString().slice(9),
        ) as [string, number, unknown[], unknown];
        const intentAlone = JSON.stringify(["o", version, intent.slice(0, 17)]);
        expect(decodeRecord(withCrc(intentAlone))).toMatchObject({ intent: { attempt: 1 } });
        const older = withCrc(JSON.stringify([kind, version, intent.slice(0, 17), outcome]));
        expect(decodeRecord(older)).toEqual({ kind: "settled", event: { ...event, attempt: 1 } });
      }),
    );
  });

  test("of an older Keyward, which knew no variants, reads back with none", () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const [kind, version, intent, outcome] = JSON.parse(
          lineOf(eventLine(event)).toString().slice(9),
        ) as [string, number, unknown, unknown[]];
        const older = withCrc(JSON.stringify([kind, version, intent, outcome.slice(0, 13)]));
        const expected = { kind: "settled", event: { ...event, variant: null, sentModel: null } };
        expect(decodeRecord(older)).toEqual(expected);
      }),
    );
  });

  test("is told from one that a newer Keyward wrote", () => {
    expect(decodeRecord(withCrc('["s",2,{"id":"evt_x"}]'))).toEqual({
      kind: "unsupported",
      version: 2,
    });
  });

  test.each([
    "",
    "{}",
    "null",
    "[]",
    '["o"]',
    '["o",1,[]]',
    '["s",1,[],[]]',
    '["x",1]',
    '["o","1",[]]',
    "[",
  ])("is refused when its CRC holds and it is no record: %s", (body) => {
    expect(decodeRecord(withCrc(body))).toBeUndefined();
  });
});
