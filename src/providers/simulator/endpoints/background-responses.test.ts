/** Responses that are kept, and those in the background, as the official client reads them. */
import { BadRequestError, NotFoundError } from "openai";
import { expect, test } from "vitest";
import { collect, simulatorUnderTest } from "../../../../test/support/simulator-under-test.ts";

const subject = simulatorUnderTest();
const REQUEST = { model: "gpt-5-mini", input: "Hello there friend" };
const WORK_MS = 4000;
const headers = { "x-simulator-work-ms": String(WORK_MS) };
const inBackground = () =>
  subject.client.responses.create({ ...REQUEST, background: true }, { headers });

test("is queued, in progress and completed by time, and the same as in the foreground", async () => {
  const created = await inBackground();
  expect(created).toMatchObject({ status: "queued", background: true, output: [], usage: null });
  const statuses = [];
  for (let quarter = 0; quarter < 4; quarter += 1) {
    statuses.push((await subject.client.responses.retrieve(created.id)).status);
    subject.advance(WORK_MS / 4);
  }
  expect(statuses).toEqual(["queued", "in_progress", "in_progress", "in_progress"]);
  const done = await subject.client.responses.retrieve(created.id);
  const whole = await subject.client.responses.create(REQUEST);
  expect(done).toMatchObject({ id: created.id, status: "completed", usage: whole.usage });
  expect(done.output_text).toBe(whole.output_text);
  expect(await subject.client.responses.retrieve(created.id)).toEqual(done);
});

test("max_output_tokens makes one in the background incomplete as well", async () => {
  const { id } = await subject.client.responses.create(
    { ...REQUEST, background: true, max_output_tokens: 3 },
    { headers },
  );
  subject.advance(WORK_MS);
  expect(await subject.client.responses.retrieve(id)).toMatchObject({
    status: "incomplete",
    usage: { output_tokens: 3 },
  });
});

test("one that is cancelled never ends otherwise; one that has ended stays as it is", async () => {
  const cancelled = await inBackground();
  const ended = await inBackground();
  expect(await subject.client.responses.cancel(cancelled.id)).toMatchObject({
    status: "cancelled",
    usage: null,
  });
  subject.advance(WORK_MS);
  const { status } = await subject.client.responses.retrieve(cancelled.id);
  expect(status).toBe("cancelled");
  expect((await subject.client.responses.cancel(ended.id)).status).toBe("completed");
  const foreground = await subject.client.responses.create(REQUEST);
  await expect(subject.client.responses.cancel(foreground.id)).rejects.toBeInstanceOf(
    BadRequestError,
  );
});

test("a stream of it waits for its time, and can be resumed after any event", async () => {
  const quick = { headers: { "x-simulator-work-ms": "40" } };
  const stream = await subject.client.responses.create(
    { ...REQUEST, background: true, stream: true },
    quick,
  );
  const events = await collect(stream);
  expect(events.slice(0, 3).map(({ type }) => type)).toEqual([
    "response.created",
    "response.queued",
    "response.in_progress",
  ]);
  expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
  const last = events.at(-1);
  if (last?.type !== "response.completed") throw new Error(`it ended in ${last?.type}`);
  subject.advance(40);
  for (const after of [0, 5, events.length - 2]) {
    const resumed = await subject.client.responses.retrieve(last.response.id, {
      stream: true,
      starting_after: after,
    });
    expect(await collect(resumed)).toEqual(events.slice(after + 1));
  }
  const all = await subject.client.responses.retrieve(last.response.id, { stream: true });
  expect(await collect(all)).toEqual(events);
});

test("what is stored can be read until it is deleted; what is not stored is not there", async () => {
  const { id } = await subject.client.responses.create(REQUEST);
  expect((await subject.client.responses.retrieve(id)).status).toBe("completed");
  await subject.client.responses.delete(id);
  const unstored = await subject.client.responses.create({ ...REQUEST, store: false });
  for (const gone of [id, unstored.id, "resp_never"]) {
    await expect(subject.client.responses.retrieve(gone)).rejects.toBeInstanceOf(NotFoundError);
  }
  await expect(subject.client.responses.delete(id)).rejects.toBeInstanceOf(NotFoundError);
});

test("what is wrong is refused: in the background and not stored, a place that is no number", async () => {
  await expect(
    subject.client.responses.create({ ...REQUEST, background: true, store: false }),
  ).rejects.toMatchObject({ status: 400, param: "store" });
  const { id } = await inBackground();
  await expect(
    subject.client.responses.retrieve(id, { stream: true, starting_after: -1 }),
  ).rejects.toMatchObject({ status: 400, param: "starting_after" });
});

test("the oldest make room past a thousand", async () => {
  const first = await subject.client.responses.create(REQUEST);
  for (let done = 0; done < 1000; done += 50) {
    await Promise.all(Array.from({ length: 50 }, () => subject.client.responses.create(REQUEST)));
  }
  await expect(subject.client.responses.retrieve(first.id)).rejects.toBeInstanceOf(NotFoundError);
}, 30_000);

test("the oldest make room past 32 MiB, whatever in a request it is that takes them", async () => {
  const first = await subject.client.responses.create(REQUEST);
  const large = { ...REQUEST, include: ["x".repeat(90_000)] } as unknown as typeof REQUEST;
  for (let done = 0; done < 380; done += 20) {
    await Promise.all(Array.from({ length: 20 }, () => subject.client.responses.create(large)));
  }
  await expect(subject.client.responses.retrieve(first.id)).rejects.toBeInstanceOf(NotFoundError);
});
