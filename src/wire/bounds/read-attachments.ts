import { KnownNames } from "../json/known-names.ts";
import { readName, walkJson, type JsonVisitor } from "../json/walk-json.ts";
import { areTextsAlone } from "./plain-messages.ts";

/** What messages carry besides text. */
export interface Attachments {
  readonly pictures: number;
  /** Bytes of pictures that stand in the body: no token of text takes any of them. */
  readonly pictureBytes: number;
  readonly hasAudio: boolean;
  /** What the model reads and the body does not hold, for people; null: nothing. */
  readonly unseen: string | null;
}

/** Where a field's value stands in a body. */
interface Place {
  readonly start: number;
  readonly end: number;
}

/**
 * Finds pictures, recordings, files and references in messages, by the names of the members that carry them: those of
 * OpenAI's chat and responses, of Anthropic's messages, and of servers that take more. Too many are found rather than too
 * few: a member counts wherever in the messages it stands, however it is spelled, and as often as it stands there.
 * `names`: the fields that have messages.
 */
export function readAttachments(
  bytes: Buffer,
  fields: ReadonlyMap<string, Place>,
  names: readonly string[],
): Attachments {
  for (const name of names) {
    const place = fields.get(name);
    if (place !== undefined && !areTextsAlone(bytes, place)) return findIn(bytes, fields, names);
  }
  return NO_ATTACHMENTS;
}

function findIn(
  bytes: Buffer,
  fields: ReadonlyMap<string, Place>,
  names: readonly string[],
): Attachments {
  const visitor = new AttachmentVisitor(bytes);
  for (const name of names) {
    const place = fields.get(name);
    if (place !== undefined && !walkJson(bytes, place, visitor)) {
      visitor.unseen ??= "messages that are not well-formed";
    }
  }
  return visitor;
}

const NO_ATTACHMENTS: Attachments = {
  pictures: 0,
  pictureBytes: 0,
  hasAudio: false,
  unseen: null,
};

/** Members whose content the model is given as text, whatever is in it. */
const TEXT_MEMBERS: ReadonlySet<string> = new Set([
  "arguments",
  "input",
  "input_schema",
  "parameters",
  "schema",
  "tool_calls",
  "tools",
]);

/** Members that name, or hold, what is no text of the body. */
const UNSEEN_MEMBERS: ReadonlyMap<string, string> = new Map([
  ["file", "a file"],
  ["file_id", "a file"],
  ["file_url", "a file"],
  ["file_data", "a file"],
  ["audio", "an earlier recording"],
  ["audio_url", "a recording at a URL"],
  ["video", "a video"],
  ["video_url", "a video"],
  ["input_video", "a video"],
  ["image", "a picture of unknown form"],
  ["images", "pictures of unknown form"],
]);

/** Kinds of an item whose content stands in the body, so that its `id` refers to nothing else. */
const WHOLE_ITEMS: ReadonlySet<string> = new Set([
  "message",
  "function_call",
  "function_call_output",
  "custom_tool_call",
  "custom_tool_call_output",
  "local_shell_call",
  "local_shell_call_output",
  "apply_patch_call",
  "apply_patch_call_output",
  "shell_call_output",
  "computer_call",
  "computer_call_output",
  "mcp_approval_response",
  // Blocks of Anthropic's: a tool's call has an id.
  "tool_use",
  "server_tool_use",
]);

/** Members on the way to a picture; below any other one, what looks like a picture may be text. */
const PICTURE_PATH: ReadonlySet<string | null> = new Set([
  null,
  "messages",
  "content",
  "output",
  "image_url",
  "source",
]);

const NAMES = new KnownNames(
  new Set([
    ...TEXT_MEMBERS,
    ...UNSEEN_MEMBERS.keys(),
    ...[...PICTURE_PATH].filter((name) => name !== null),
    "id",
    "role",
    "type",
    "url",
    "data",
    "input_audio",
  ]),
);

interface Frame {
  readonly key: string | null;
  /** Whether all members above it are on the way to a picture. */
  readonly isPicturePath: boolean;
  hasId: boolean;
  hasRole: boolean;
  type: string | undefined;
}

class AttachmentVisitor implements JsonVisitor, Attachments {
  readonly names = NAMES;
  pictures = 0;
  pictureBytes = 0;
  hasAudio = false;
  unseen: string | null = null;
  readonly #bytes: Buffer;
  readonly #frames: Frame[] = [];

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  open(key: string | null): boolean {
    this.#member(key);
    if (key !== null && TEXT_MEMBERS.has(key)) return false;
    const isPicturePath = PICTURE_PATH.has(key) && this.#frames.at(-1)?.isPicturePath !== false;
    this.#frames.push({ key, isPicturePath, hasId: false, hasRole: false, type: undefined });
    return true;
  }

  close(): void {
    const frame = this.#frames.pop();
    if (frame === undefined || !frame.hasId) return;
    const { type, hasRole } = frame;
    const isWhole = type === undefined ? hasRole : WHOLE_ITEMS.has(type);
    if (!isWhole) this.unseen ??= "items that the provider has stored";
  }

  text(key: string | null, start: number, end: number): void {
    this.#member(key);
    const frame = this.#frames.at(-1);
    if (frame === undefined) return;
    if (key === "id") frame.hasId = true;
    if (key === "role") frame.hasRole = true;
    if (key === "type") this.#type(frame, readName(this.#bytes, start, end) ?? "");
    if (this.#isPicture(frame, key, start)) this.pictureBytes += end - start;
  }

  scalar(key: string | null, start: number): void {
    // Null is nothing.
    if (this.#bytes[start] !== LETTER_N) this.#member(key);
  }

  #member(key: string | null): void {
    if (key === null) return;
    if (key === "image_url" || key === "source") this.pictures += 1;
    if (key === "input_audio") this.hasAudio = true;
    const unseen = UNSEEN_MEMBERS.get(key);
    if (unseen === undefined) return;
    this.unseen ??= unseen;
    // A file may be a picture, or a document whose pages are.
    this.pictures += 1;
  }

  #type(frame: Frame, type: string): void {
    // One that stands twice may be the other one to the provider.
    const isSecond = frame.type !== undefined && frame.type !== type;
    frame.type = isSecond ? "two types" : type;
    // Its pages are read as text and as pictures.
    if (type === "document") this.unseen ??= "a document";
  }

  #isPicture(frame: Frame, key: string | null, start: number): boolean {
    if (!frame.isPicturePath) return false;
    if (key === "image_url" || (key === "url" && frame.key === "image_url")) {
      return this.#bytes.toString("latin1", start, start + DATA_URL.length) === DATA_URL;
    }
    return key === "data" && frame.key === "source";
  }
}

const DATA_URL = "data:image/";
const LETTER_N = 0x6e;
