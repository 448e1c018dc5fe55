/** Files and batches, as the official client makes and polls them. */
import { APIError, ConflictError, NotFoundError, toFile } from "openai";
import { describe, expect, test } from "vitest";
import { simulatorUnderTest } from "../../../../test/support/simulator-under-test.ts";

const subject = simulatorUnderTest();
const WORK_MS = 8000;
const headers = { "x-simulator-work-ms": String(WORK_MS) };
const CHAT = { model: "gpt-4o-mini", messages: [{ role: "user" as const, content: "Good day" }] };

type Endpoint = "/v1/chat/completions" | "/v1/responses" | "/v1/embeddings";

async function batchOf(text: string, endpoint: Endpoint = "/v1/chat/completions") {
  const file = await subject.client.files.create({
    file: await toFile(Buffer.from(text), "calls.jsonl"),
    purpose: "batch",
  });
  return subject.client.batches.create(
    { input_file_id: file.id, endpoint, completion_window: "24h", metadata: { run: "nightly" } },
    { headers },
  );
}

const line = (id: string, body: object, url: Endpoint = "/v1/chat/completions") =>
  JSON.stringify({ custom_id: id, method: "POST", url, body });

async function linesOf(fileId: string | undefined) {
  const text = await (await subject.client.files.content(fileId ?? "")).text();
  return text
    .trim()
    .split("\n")
    .map((one) => JSON.parse(one) as OutputLine);
}

interface OutputLine {
  readonly custom_id: string;
  readonly response: { readonly status_code: number; readonly body: Record<string, unknown> };
}

describe("a batch", () => {
  test("comes to its end by time, and answers each line as a call would be answered", async () => {
    const other = { ...CHAT, messages: [{ role: "user" as const, content: "Good night to you" }] };
    const batch = await batchOf([line("a", CHAT), "", line("b", other)].join("\n"));
    expect(batch).toMatchObject({ status: "validating", metadata: { run: "nightly" } });
    const seen = [];
    for (let eighth = 0; eighth < 8; eighth += 1) {
      const { status, request_counts: counts } = await subject.client.batches.retrieve(batch.id);
      seen.push(`${status} ${counts?.completed}/${counts?.total}`);
      subject.advance(WORK_MS / 8);
    }
    expect(seen).toEqual([
      "validating 0/0",
      "validating 0/0",
      ...Array.from({ length: 4 }, () => "in_progress 0/2"),
      "finalizing 0/2",
      "finalizing 0/2",
    ]);
    const done = await subject.client.batches.retrieve(batch.id);
    expect(done).toMatchObject({
      status: "completed",
      model: "gpt-4o-mini",
      error_file_id: null,
      request_counts: { total: 2, completed: 2, failed: 0 },
    });
    const answers = await linesOf(done.output_file_id);
    expect(answers.map(({ custom_id: id }) => id)).toEqual(["a", "b"]);
    const whole = await subject.client.chat.completions.create(CHAT);
    expect(answers[0]?.response).toMatchObject({
      status_code: 200,
      body: { choices: whole.choices, usage: whole.usage },
    });
    const { usage: otherUsage } = await subject.client.chat.completions.create(other);
    const input = (whole.usage?.prompt_tokens ?? 0) + (otherUsage?.prompt_tokens ?? 0);
    const output = (whole.usage?.completion_tokens ?? 0) + (otherUsage?.completion_tokens ?? 0);
    expect(done.usage).toMatchObject({
      input_tokens: input,
      output_tokens: output,
      total_tokens: input + output,
    });
    expect(await subject.client.batches.retrieve(batch.id)).toEqual(done);
    expect((await subject.client.files.retrieve(done.output_file_id ?? "")).purpose).toBe(
      "batch_output",
    );
  });

  test("puts lines that fail into a file of their own, and charges none of them", async () => {
    const text = [
      line("good", CHAT),
      line("bad", { model: "m" }),
      line("stream", { ...CHAT, stream: true }),
    ];
    const { id } = await batchOf(text.join("\n"));
    subject.advance(WORK_MS);
    const done = await subject.client.batches.retrieve(id);
    expect(done.request_counts).toEqual({ total: 3, completed: 1, failed: 2 });
    expect((await linesOf(done.output_file_id)).map((one) => one.custom_id)).toEqual(["good"]);
    const failed = await linesOf(done.error_file_id);
    expect(failed.map((one) => [one.custom_id, one.response.status_code])).toEqual([
      ["bad", 400],
      ["stream", 400],
    ]);
    expect(failed[0]?.response.body["error"]).toMatchObject({ param: "messages" });
  });

  test.each<[Endpoint, object]>([
    ["/v1/responses", { model: "gpt-5-mini", input: "Good day" }],
    ["/v1/embeddings", { model: "text-embedding-3-small", input: ["one", "two words"] }],
  ])("of %s has the usage of its answers, whatever they call it", async (endpoint, body) => {
    const { id } = await batchOf(line("a", body, endpoint), endpoint);
    subject.advance(WORK_MS);
    const done = await subject.client.batches.retrieve(id);
    const [answer] = await linesOf(done.output_file_id);
    const usage = answer?.response.body["usage"] as Record<string, number>;
    expect(done.usage?.input_tokens).toBe(usage["input_tokens"] ?? usage["prompt_tokens"]);
    expect(done.usage?.output_tokens).toBe(usage["output_tokens"] ?? 0);
  });

  test.each([
    ["no JSON", "{", "invalid_json_line", 1],
    [
      "a line without a body",
      '{"custom_id":"a","method":"POST","url":"x"}',
      "invalid_json_line",
      1,
    ],
    ["another endpoint", line("a", {}, "/v1/embeddings"), "mismatched_endpoint", 1],
    ["an id twice", `${line("a", CHAT)}\n${line("a", CHAT)}`, "duplicate_custom_id", 2],
    ["nothing", "\n\n", "empty_file", null],
  ])("with %s in its file fails, and says where", async (_, text, code, place) => {
    const { id } = await batchOf(text);
    subject.advance(WORK_MS);
    const failed = await subject.client.batches.retrieve(id);
    expect(failed.status).toBe("failed");
    expect(failed.errors?.data).toMatchObject([{ code, line: place }]);
    expect(failed.output_file_id).toBeNull();
  });

  test("that is cancelled is cancelling, then cancelled; one that has ended can't be", async () => {
    const cancelled = await batchOf(line("a", CHAT));
    const ended = await batchOf(line("a", CHAT));
    expect((await subject.client.batches.cancel(cancelled.id)).status).toBe("cancelling");
    subject.advance(WORK_MS);
    expect(await subject.client.batches.retrieve(cancelled.id)).toMatchObject({
      status: "cancelled",
      output_file_id: null,
    });
    await expect(subject.client.batches.cancel(ended.id)).rejects.toBeInstanceOf(ConflictError);
    await expect(subject.client.batches.cancel(cancelled.id)).rejects.toBeInstanceOf(ConflictError);
  });

  test("makes its files once, however many look at it at a time", async () => {
    const { id } = await batchOf(
      Array.from({ length: 200 }, (_, index) => line(`${index}`, CHAT)).join("\n"),
    );
    subject.advance(WORK_MS);
    const looks = await Promise.all(
      Array.from({ length: 5 }, () => subject.client.batches.retrieve(id)),
    );
    expect(new Set(looks.map((one) => one.output_file_id)).size).toBe(1);
    const outputs = await subject.client.files.list({ purpose: "batch_output" });
    expect(outputs.data).toHaveLength(1);
  });

  test("whose file is taken away before its end fails, and says why", async () => {
    const { id, input_file_id: fileId } = await batchOf(line("a", CHAT));
    subject.advance(WORK_MS / 2);
    expect((await subject.client.batches.retrieve(id)).status).toBe("in_progress");
    await subject.client.files.delete(fileId);
    subject.advance(WORK_MS / 2);
    const failed = await subject.client.batches.retrieve(id);
    expect(failed.status).toBe("failed");
    expect(failed.errors?.data).toMatchObject([{ code: "file_not_found", line: null }]);
  });

  test("whose output is more than is kept fails, and nothing of it is kept", async () => {
    const text = Array.from({ length: 10 }, (_, index) =>
      line(`${index}`, { model: "gpt-4o-mini", messages: CHAT.messages, n: 128 }),
    );
    const file = await subject.client.files.create({
      file: await toFile(Buffer.from(text.join("\n")), "calls.jsonl"),
      purpose: "batch",
    });
    const { id } = await subject.client.batches.create(
      { input_file_id: file.id, endpoint: "/v1/chat/completions", completion_window: "24h" },
      { headers: { ...headers, "x-simulator-output-tokens": "5000" } },
    );
    subject.advance(WORK_MS);
    const failed = await subject.client.batches.retrieve(id);
    expect(failed.errors?.data).toMatchObject([{ code: "output_too_large" }]);
    expect((await subject.client.files.list({ purpose: "batch_output" })).data).toEqual([]);
  });

  test("is answered as it was asked, whoever looks at it with whatever headers", async () => {
    const { id } = await batchOf(line("a", CHAT));
    subject.advance(WORK_MS);
    const other = { headers: { "x-simulator-seed": "another", "x-simulator-output-tokens": "7" } };
    const done = await subject.client.batches.retrieve(id, other);
    const [answer] = await linesOf(done.output_file_id);
    const whole = await subject.client.chat.completions.create(CHAT);
    expect(answer?.response.body["choices"]).toEqual(whole.choices);
  });

  test("without a file that there is, or that is kept, is refused", async () => {
    const request = { endpoint: "/v1/responses" as const, completion_window: "24h" as const };
    await expect(
      subject.client.batches.create({ ...request, input_file_id: "file-none" }),
    ).rejects.toMatchObject({ status: 400, param: "input_file_id" });
    await expect(subject.client.batches.retrieve("batch_none")).rejects.toBeInstanceOf(
      NotFoundError,
    );
  });

  test("that is refused by a fault was never made", async () => {
    const client = subject.client.withOptions({ apiKey: "sim:429; label=batches" });
    await batchOf(line("a", CHAT));
    await expect(
      client.batches.create({
        input_file_id: (await subject.client.files.list()).data[0]?.id ?? "",
        endpoint: "/v1/chat/completions",
        completion_window: "24h",
      }),
    ).rejects.toBeInstanceOf(APIError);
    expect((await subject.client.batches.list()).data).toHaveLength(1);
  });
});

test("lists have pages, the newest first, and the client walks through them", async () => {
  const made = [];
  for (let count = 0; count < 5; count += 1) made.push((await batchOf(line("a", CHAT))).id);
  const listed = [];
  for await (const batch of subject.client.batches.list({ limit: 2 })) listed.push(batch.id);
  expect(listed).toEqual(made.toReversed());
  const files = [];
  for await (const file of subject.client.files.list({ limit: 2 })) files.push(file.id);
  expect(files).toHaveLength(5);
  await expect(subject.client.batches.list({ after: "batch_none" })).rejects.toMatchObject({
    param: "after",
  });
});

describe("a file", () => {
  test("is read as it was written, byte for byte, until it is deleted", async () => {
    const content = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256));
    const { id } = await subject.client.files.create({
      file: await toFile(content, "bytes.bin"),
      purpose: "user_data",
    });
    const read = await (await subject.client.files.content(id)).arrayBuffer();
    expect(Buffer.from(read).equals(content)).toBe(true);
    expect(await subject.client.files.delete(id)).toMatchObject({ deleted: true });
    await expect(subject.client.files.content(id)).rejects.toBeInstanceOf(NotFoundError);
    await expect(subject.client.files.retrieve(id)).rejects.toBeInstanceOf(NotFoundError);
  });
});
