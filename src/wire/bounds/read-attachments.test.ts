import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readAttachments, type Attachments } from "./read-attachments.ts";

function read(text: string): Attachments {
  const bytes = Buffer.from(text);
  const fields = new Map([["messages", { start: 0, end: bytes.length }]]);
  const { pictures, pictureBytes, hasAudio, unseen } = readAttachments(bytes, fields, ["messages"]);
  return { pictures, pictureBytes, hasAudio, unseen };
}

const NOTHING: Attachments = { pictures: 0, pictureBytes: 0, hasAudio: false, unseen: null };
const message = (...content: unknown[]): unknown[] => [{ role: "user", content }];
const dataUrl = `data:image/png;base64,${"A".repeat(100)}`;

describe("what messages carry besides text", () => {
  it.each<[string, unknown, Partial<Attachments>]>([
    ["text", message({ type: "text", text: "image_url" }), {}],
    [
      "a chat's picture at a URL",
      message({ type: "image_url", image_url: { url: "https://a.example" } }),
      { pictures: 1 },
    ],
    [
      "one in the body",
      message({ type: "image_url", image_url: { url: dataUrl } }),
      { pictures: 1, pictureBytes: dataUrl.length },
    ],
    [
      "a response's picture in the body",
      message({ type: "input_image", image_url: dataUrl }),
      { pictures: 1, pictureBytes: dataUrl.length },
    ],
    [
      "one in a tool's output",
      [
        {
          type: "function_call_output",
          call_id: "c",
          output: [{ type: "input_image", image_url: dataUrl }],
        },
      ],
      { pictures: 1, pictureBytes: dataUrl.length },
    ],
    [
      "Anthropic's picture in the body",
      message({ type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } }),
      { pictures: 1, pictureBytes: 4 },
    ],
    [
      "Anthropic's document",
      message({ type: "document", source: { type: "text", data: "AAAA" } }),
      { pictures: 1, pictureBytes: 4, unseen: "a document" },
    ],
    [
      "a recording",
      message({ type: "input_audio", input_audio: { data: "AAAA", format: "mp3" } }),
      { hasAudio: true },
    ],
    [
      "an earlier recording",
      [{ role: "assistant", audio: { id: "audio_1" } }],
      { pictures: 1, unseen: "an earlier recording" },
    ],
    [
      "a file",
      message({ type: "input_file", file_id: "file-1" }),
      { pictures: 1, unseen: "a file" },
    ],
    [
      "a file that is not there",
      message({ type: "input_image", file_id: null, image_url: "https://a.example" }),
      { pictures: 1 },
    ],
    [
      "a reference to an item",
      [{ type: "item_reference", id: "msg_1" }],
      { unseen: "items that the provider has stored" },
    ],
    [
      "one that is not called so",
      [{ id: "msg_1" }],
      { unseen: "items that the provider has stored" },
    ],
    [
      "reasoning that the provider has stored",
      [{ type: "reasoning", id: "rs_1", summary: [] }],
      { unseen: "items that the provider has stored" },
    ],
    [
      "a call with its id",
      [{ type: "function_call", id: "fc_1", call_id: "c", name: "f", arguments: "{}" }],
      {},
    ],
    [
      "a message with its id",
      [{ id: "msg_1", role: "assistant", content: [{ type: "output_text", text: "x" }] }],
      {},
    ],
    [
      "a chat's calls of functions",
      [
        {
          role: "assistant",
          tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }],
        },
      ],
      {},
    ],
    [
      "arguments with names of their own",
      message({
        type: "tool_use",
        id: "t",
        name: "f",
        input: { file_id: "x", image_url: dataUrl },
      }),
      {},
    ],
    [
      "a picture where only text can be",
      [
        { type: "mcp_list_tools", tools: [{ input_schema: { image_url: dataUrl } }] },
        { odd: { image_url: dataUrl } },
      ],
      { pictures: 1 },
    ],
  ])("%s", (_, messages, expected) => {
    expect(read(JSON.stringify(messages))).toEqual({ ...NOTHING, ...expected });
  });

  it("takes what is no JSON, or is too deep, for something that it can't see", () => {
    expect(read('[{"role":').unseen).toContain("not well-formed");
    expect(read("[".repeat(1000) + "]".repeat(1000)).unseen).toContain("not well-formed");
  });

  it("counts a member that stands twice, and two types of one item, for both", () => {
    const twice = '[{"content":[{"image_url":"a","image_url":"b"}]}]';
    expect(read(twice).pictures).toBe(2);
    const types = '[{"type":"message","id":"rs_1","type":"reasoning"}]';
    expect(read(types).unseen).toContain("stored");
  });

  it("finds the same however names and types are spelled", () => {
    const items = fc.constantFrom<unknown[]>(
      message({ type: "image_url", image_url: { url: "https://a.example" } }),
      message({ type: "input_audio", input_audio: { data: "AAAA" } }),
      message({ type: "input_file", file_data: "AAAA" }),
      message({ type: "document", source: { type: "url" } }),
      [{ type: "item_reference", id: "msg_1" }],
      [{ type: "message", id: "msg_1", role: "user", content: "x" }],
    );
    fc.assert(
      fc.property(items, fc.infiniteStream(fc.boolean()), (messages, coins) => {
        const plain = JSON.stringify(messages);
        const isEscaped = (): boolean => coins.next().value === true;
        // Letters alone: anything else is not part of a name.
        const spelled = plain.replaceAll(/[a-z_]/g, (letter) =>
          isEscaped() ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}` : letter,
        );
        expect(read(spelled)).toEqual(read(plain));
      }),
    );
  });
});
