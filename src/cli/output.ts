import { once } from "node:events";
import { styleText } from "node:util";
import type { CliIo } from "./cli-io.ts";
import { printable, printableJson, printableJsonLine } from "./printable.ts";
import type { Column } from "./table.ts";

type Style = "bold" | "dim" | "red" | "green" | "yellow";

/**
 * What a command says. Data goes to standard output, as JSON or for people; everything else (notes, progress, advice)
 * to error output, so that `--json` output and pipes carry data alone.
 */
export class Output {
  readonly isJson: boolean;
  readonly #io: Pick<CliIo, "stdout" | "stderr" | "hasColor">;

  constructor(io: Pick<CliIo, "stdout" | "stderr" | "hasColor">, isJson: boolean) {
    this.#io = io;
    this.isJson = isJson;
  }

  /** Prints the value as JSON, or what `forPeople` prints. */
  async data(value: unknown, forPeople: () => void | Promise<void>): Promise<void> {
    if (this.isJson) this.#print(printableJson(value));
    else await forPeople();
  }

  line(text = ""): void {
    this.#print(printable(text));
  }

  /** What is printed in it reaches standard output as one piece: nobody reads half of it. */
  together(print: () => void): void {
    this.#io.stdout.cork();
    try {
      print();
    } finally {
      this.#io.stdout.uncork();
    }
  }

  /** One value of many, each on a line of its own. */
  jsonLine(value: unknown): void {
    this.#print(printableJsonLine(value));
  }

  /** Resolves when what was printed has been taken: a reader that is slow is waited for. Rejects when it is aborted. */
  async taken(signal: AbortSignal): Promise<void> {
    if (this.#io.stdout.writableNeedDrain) await once(this.#io.stdout, "drain", { signal });
  }

  /** A line with a word before it that catches the eye. */
  marked(mark: string, style: Style, text: string): void {
    this.#print(`${this.#styled(style, mark)} ${printable(text)}`);
  }

  /** `label  value` lines, the values below each other. */
  facts(facts: readonly (readonly [label: string, value: string])[]): void {
    const width = Math.max(0, ...facts.map(([label]) => label.length));
    for (const [label, value] of facts) {
      this.#print(`${this.#styled("dim", label.padEnd(width))}  ${printable(value)}`);
    }
  }

  /** `total`: a last row, one cell a column. */
  async table<Row>(
    rows: readonly Row[],
    columns: readonly Column<Row>[],
    total?: readonly string[],
  ): Promise<void> {
    // Loaded here: a command that prints no table need not wait for the library.
    const { formatTable } = await import("./table.ts");
    this.#print(formatTable(rows, columns, { hasColor: this.#io.hasColor.stdout }, total));
  }

  /** A remark that is no data. */
  note(text: string): void {
    this.#io.stderr.write(`${this.#styleError("dim", printable(text))}\n`);
  }

  warn(text: string): void {
    this.#io.stderr.write(`${this.#styleError("yellow", "warning:")} ${printable(text)}\n`);
  }

  #print(text: string): void {
    this.#io.stdout.write(`${text}\n`);
  }

  #styled(style: Style, text: string): string {
    return this.#io.hasColor.stdout ? styleText(style, text, { validateStream: false }) : text;
  }

  #styleError(style: Style, text: string): string {
    return this.#io.hasColor.stderr ? styleText(style, text, { validateStream: false }) : text;
  }
}
