import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CsvCell, formatCsvLine } from "./csv-line.ts";

/** A reader of RFC 4180 for one record. */
function readCells(line: string): string[] {
  expect(line.endsWith("\r\n")).toBe(true);
  const cells: string[] = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n$)/gy;
  for (;;) {
    const match = pattern.exec(line);
    if (match === null) throw new Error(`not a record: ${JSON.stringify(line)}`);
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    if (match[3] !== ",") return cells;
  }
}

describe("formatCsvLine", () => {
  it("writes numbers, truth values and nothing as they are", () => {
    expect(formatCsvLine([1, -2.5, true, null, undefined, "a"])).toBe("1,-2.5,true,,,a\r\n");
  });

  it("quotes what would break a record", () => {
    expect(formatCsvLine(["a,b", 'a"b', "a\nb", " a"])).toBe('"a,b","a""b","a\nb"," a"\r\n');
  });

  it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\u{FF1D}1"])(
    "disarms %j",
    (text) => {
      expect(readCells(formatCsvLine([text]))).toEqual([`'${text}`]);
    },
  );

  it("is read back as it was written, whatever callers name things", () => {
    const texts = fc.array(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(texts, (cells: CsvCell[]) => {
        const read = readCells(formatCsvLine(cells));
        expect(
          read.map((text, index) => text === cells[index] || text === `'${cells[index]}`),
        ).toEqual(cells.map(() => true));
        for (const text of read) expect(text).not.toMatch(/^[=+\-@\t\r]/);
      }),
    );
  });
});
