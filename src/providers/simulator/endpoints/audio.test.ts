/** Sound into text and text into sound, with the official client. */
import { APIError, BadRequestError, toFile } from "openai";
import { describe, expect, test } from "vitest";
import { collect, simulatorUnderTest } from "../../../../test/support/simulator-under-test.ts";
import { countTokens } from "../content/text-tokens.ts";

const subject = simulatorUnderTest();
/** Ten seconds and a half, as the simulator takes them. */
const SOUND = Buffer.alloc(168_000, "la");
const sound = () => toFile(SOUND, "a.mp3");
const MODEL = "gpt-4o-transcribe";

describe("a transcription", () => {
  test("has tokens for usage; whisper-1's has seconds, rounded up", async () => {
    const { text, usage } = await subject.client.audio.transcriptions.create({
      file: await sound(),
      model: MODEL,
    });
    expect(usage).toMatchObject({
      type: "tokens",
      input_tokens: 110,
      output_tokens: countTokens(text),
      total_tokens: 110 + countTokens(text),
    });
    const whisper = await subject.client.audio.transcriptions.create({
      file: await sound(),
      model: "whisper-1",
    });
    expect(whisper.usage).toEqual({ type: "duration", seconds: 11 });
  });

  test("is streamed token by token, and its last event has the text and the usage", async () => {
    const request = { model: MODEL, file: await sound() };
    const whole = await subject.client.audio.transcriptions.create(request);
    const events = await collect(
      await subject.client.audio.transcriptions.create({ ...request, stream: true }),
    );
    const deltas = events.filter((event) => event.type === "transcript.text.delta");
    expect(deltas.map(({ delta }) => delta).join("")).toBe(whole.text);
    expect(events.at(-1)).toEqual({
      type: "transcript.text.done",
      text: whole.text,
      usage: whole.usage,
    });
  });

  test("in every format has the same words; times go from the beginning to the end", async () => {
    const request = { model: "whisper-1", file: await sound() };
    const { text } = await subject.client.audio.transcriptions.create(request);
    const verbose = await subject.client.audio.transcriptions.create({
      ...request,
      response_format: "verbose_json",
      timestamp_granularities: ["word", "segment"],
    });
    expect(verbose).toMatchObject({ text, duration: 10.5, language: "english" });
    expect(verbose.segments?.map((segment) => segment.text).join("")).toBe(text);
    expect(verbose.segments?.at(-1)?.end).toBe(10.5);
    expect(verbose.words?.map(({ word }) => word).join(" ")).toBe(text);
    const plain = await subject.client.audio.transcriptions.create({
      ...request,
      response_format: "text",
    });
    expect(plain).toBe(`${text}\n`);
    const srt = await subject.client.audio.transcriptions.create({
      ...request,
      response_format: "srt",
    });
    expect(srt).toMatch(/^1\n00:00:00,000 --> \d\d:\d\d:\d\d,\d{3}\nThis is a simulated/);
    const vtt = await subject.client.audio.transcriptions.create({
      ...request,
      response_format: "vtt",
    });
    expect(vtt).toMatch(/^WEBVTT\n\n00:00:00\.000 --> /);
    for (const subtitles of [srt, vtt]) {
      const lines = subtitles.split("\n");
      const spoken = lines.filter((one) => /[a-z]/.test(one)).join(" ");
      expect(spoken).toBe(text);
    }
  });

  test("in a format that the simulator has not is refused, with those that it has", async () => {
    const request = { model: MODEL, file: await sound(), response_format: "diarized_json" };
    await expect(
      subject.client.audio.transcriptions.create(request as { model: string; file: File }),
    ).rejects.toMatchObject({ status: 400, param: "response_format" });
  });
});

test("a translation is the same, and says nothing of usage", async () => {
  const request = { model: "whisper-1", file: await sound() };
  const { text, ...rest } = await subject.client.audio.translations.create(request);
  expect(countTokens(text)).toBeGreaterThan(5);
  expect(rest).toEqual({});
  const verbose = await subject.client.audio.translations.create({
    ...request,
    response_format: "verbose_json",
  });
  expect(verbose).toMatchObject({ task: "translate", duration: 10.5 });
});

describe("speech", () => {
  const REQUEST = { model: "gpt-4o-mini-tts", voice: "alloy", input: "one two three two" };
  const spoilt = (fault: string, more: object = {}) =>
    subject.client.audio.speech.create(
      { ...REQUEST, ...more },
      { headers: { "x-simulator-fault": fault } },
    );
  const bytesOf = async (format: "wav" | "mp3" | "pcm", input = REQUEST.input) => {
    const request = { ...REQUEST, input, response_format: format };
    const answer = await subject.client.audio.speech.create(request);
    return {
      type: answer.headers.get("content-type"),
      bytes: Buffer.from(await answer.arrayBuffer()),
    };
  };

  test("as WAV is a well-formed file with sound in it, the same words the same sounds", async () => {
    const { type, bytes } = await bytesOf("wav");
    expect(type).toBe("audio/wav");
    expect(bytes.toString("latin1", 0, 4) + bytes.toString("latin1", 8, 16)).toBe("RIFFWAVEfmt ");
    expect(bytes.readUInt32LE(4)).toBe(bytes.length - 8);
    expect(bytes.readUInt32LE(24)).toBe(24_000);
    expect(bytes.readUInt32LE(28)).toBe(48_000);
    expect(bytes.readUInt32LE(40)).toBe(bytes.length - 44);
    const samples = bytes.subarray(44);
    const word = (index: number) => samples.subarray(index * 12_000, (index + 1) * 12_000);
    expect(samples).toHaveLength(4 * 12_000);
    expect(word(1).equals(word(3))).toBe(true);
    const loudest = Math.max(
      ...Array.from({ length: 6000 }, (_, at) => word(0).readInt16LE(at * 2)),
    );
    expect(loudest).toBeGreaterThan(3000);
    const { bytes: pcm } = await bytesOf("pcm");
    expect(pcm.equals(samples)).toBe(true);
  });

  test("as MP3 is whole frames, each where the last one ends", async () => {
    const { type, bytes } = await bytesOf("mp3");
    expect(type).toBe("audio/mpeg");
    let frames = 0;
    for (let at = 0; at < bytes.length; frames += 1) {
      const header = bytes.readUInt32BE(at);
      // Synchronization, MPEG-1, layer III; 32 kbit/s at 44.1 kHz.
      expect(header >>> 17).toBe(0x7ffd);
      expect((header >>> 12) & 0xf).toBe(1);
      at += Math.floor((144 * 32_000) / 44_100);
    }
    expect(frames).toBe(40);
  });

  test("as events is the same sound, and the last one has the usage: a word is a token", async () => {
    const answer = await subject.client.audio.speech.create({
      ...REQUEST,
      response_format: "wav",
      stream_format: "sse",
    });
    const events = (await answer.text())
      .trim()
      .split("\n\n")
      .map((event) => JSON.parse(event.slice("data: ".length)) as Record<string, unknown>);
    const sounds = events
      .slice(0, -1)
      .map((event) => Buffer.from(String(event["audio"]), "base64"));
    const { bytes } = await bytesOf("wav");
    expect(Buffer.concat(sounds).equals(bytes)).toBe(true);
    expect(events.at(-1)).toEqual({
      type: "speech.audio.done",
      usage: { input_tokens: 4, output_tokens: 4, total_tokens: 8 },
    });
  });

  test("events of tts-1, a format that there is not and too long a text are refused", async () => {
    for (const wrong of [
      { model: "tts-1", stream_format: "sse" as const },
      { response_format: "opus" as const },
      { input: "x".repeat(4097) },
    ]) {
      const call = subject.client.audio.speech.create({ ...REQUEST, ...wrong });
      await expect(call).rejects.toBeInstanceOf(BadRequestError);
    }
  });

  test("is spoilt by faults: refused, cut off in the middle, cut off between two events", async () => {
    await expect(spoilt("429")).rejects.toMatchObject({ status: 429 });
    const half = await spoilt("cut; after-tokens=0");
    await expect(half.arrayBuffer()).rejects.toThrow();
    const events = await spoilt("500; after-tokens=2", { stream_format: "sse" });
    const text = await events.text();
    expect(text.match(/speech\.audio\.delta/g)).toHaveLength(2);
    expect(text).toContain("simulated_500");
    const wrong = await spoilt("wrong-usage; count=zero", { stream_format: "sse" });
    expect(await wrong.text()).toContain('"output_tokens":0');
  });
});

test("a transcription is spoilt by faults as well", async () => {
  const headers = { "x-simulator-fault": "insufficient-quota; after-tokens=3" };
  const stream = await subject.client.audio.transcriptions.create(
    { file: await sound(), model: MODEL, stream: true },
    { headers },
  );
  await expect(collect(stream)).rejects.toBeInstanceOf(APIError);
});
