import { KnownNames } from "../json/known-names.ts";
import { readName, walkJson, type JsonVisitor } from "../json/walk-json.ts";

/** A tool that a request offers to the model. */
export interface OfferedTool {
  /** Null where it names none, or several. */
  readonly type: string | null;
  /** Its `max_uses`; null where it has none. */
  readonly maxUses: number | null;
  /** Every `model` that it names, several where there are several; null: one that can't be read. */
  readonly models: readonly (string | null)[];
}

/** The members of the list `tools`; undefined when it is no list of objects. */
export function readTools(
  bytes: Buffer,
  place: { readonly start: number; readonly end: number },
): readonly OfferedTool[] | undefined {
  const visitor = new ToolVisitor(bytes);
  return walkJson(bytes, place, visitor) && !visitor.isOdd ? visitor.tools : undefined;
}

interface Tool {
  type: string | null;
  types: number;
  maxUses: number | null;
  readonly models: (string | null)[];
}

const NAMES = new KnownNames(["type", "max_uses", "model"]);

class ToolVisitor implements JsonVisitor {
  readonly names = NAMES;
  readonly tools: Tool[] = [];
  isOdd = false;
  readonly #bytes: Buffer;
  #depth = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  open(key: string | null): boolean {
    if (this.#depth === 2) return false;
    this.#depth += 1;
    if (this.#depth === 1) return true;
    if (key !== null) this.isOdd = true;
    this.tools.push({ type: null, types: 0, maxUses: null, models: [] });
    return true;
  }

  close(): void {
    this.#depth -= 1;
  }

  text(key: string | null, start: number, end: number): void {
    const tool = this.#member(key);
    if (key === "model") tool?.models.push(readName(this.#bytes, start, end) ?? null);
    if (tool === undefined || key !== "type") return;
    tool.types += 1;
    tool.type = tool.types === 1 ? (readName(this.#bytes, start, end) ?? null) : null;
    // One that stands twice may be the other one to the provider.
    if (tool.types > 1) this.isOdd = true;
  }

  scalar(key: string | null, start: number, end: number): void {
    const tool = this.#member(key);
    if (tool === undefined || key !== "max_uses") return;
    const count = Number(this.#bytes.toString("latin1", start, end));
    const isCount = Number.isSafeInteger(count) && count >= 0;
    tool.maxUses = isCount ? Math.max(tool.maxUses ?? 0, count) : null;
  }

  /** The tool that a member belongs to; a member of anything else makes the list an odd one. */
  #member(key: string | null): Tool | undefined {
    if (this.#depth === 2 && key !== null) return this.tools.at(-1);
    this.isOdd = true;
    return undefined;
  }
}
