import {
  refuse,
  type Answer,
  type BodilessEndpoint,
  type Call,
  type Endpoint,
  type FormEndpoint,
} from "../endpoint.ts";
import { MAX_KEPT_FILE_BYTES, type StoredFile } from "../memory/file-store.ts";
import type { SimulatorMemory } from "../memory/simulator-memory.ts";
import { fileOf, missing } from "./form-parts.ts";
import { listObject, pageOf } from "./paged-list.ts";

/** `POST /v1/files`. Source: the file object of OpenAI's API reference. */
const uploadFile = (memory: SimulatorMemory): FormEndpoint => ({
  takes: "form",
  method: "POST",
  path: "/v1/files",
  keptFileBytes: MAX_KEPT_FILE_BYTES,
  answer(form, call) {
    const file = fileOf(form, "file");
    if (file === undefined) return missing("file");
    const purpose = form.fields.get("purpose");
    if (purpose === undefined) return missing("purpose");
    const stored: StoredFile = {
      id: call.createId("file-"),
      filename: file.filename,
      purpose,
      bytes: file.bytes,
      createdAtSeconds: call.createdAtSeconds,
      content: file.content,
    };
    memory.files.keep(stored);
    return json(fileObject(stored));
  },
});

const listFiles = (memory: SimulatorMemory): BodilessEndpoint => ({
  takes: "nothing",
  method: "GET",
  path: "/v1/files",
  answer(call) {
    const purpose = call.query.get("purpose");
    const files = memory.files
      .newestFirst()
      .filter((file) => purpose === null || file.purpose === purpose);
    const page = pageOf(call.query.get("order") === "asc" ? files.toReversed() : files, call);
    if ("refusal" in page) return page.refusal;
    return json(listObject(page.items.map(fileObject), page.hasMore));
  },
});

const retrieveFile = (memory: SimulatorMemory): BodilessEndpoint => ({
  takes: "nothing",
  method: "GET",
  path: "/v1/files/:id",
  answer(call) {
    const file = memory.files.get(call.id);
    return file === undefined ? notFound(call) : json(fileObject(file));
  },
});

const readFile = (memory: SimulatorMemory): BodilessEndpoint => ({
  takes: "nothing",
  method: "GET",
  path: "/v1/files/:id/content",
  answer(call) {
    const file = memory.files.get(call.id);
    if (file === undefined) return notFound(call);
    if (file.content === null) {
      return refuse(400, `The simulator keeps files of ${MAX_KEPT_FILE_BYTES} bytes at most.`);
    }
    return {
      kind: "pieces",
      contentType: "application/octet-stream",
      contentLength: file.content.length,
      pieces: [file.content],
    };
  },
});

const deleteFile = (memory: SimulatorMemory): BodilessEndpoint => ({
  takes: "nothing",
  method: "DELETE",
  path: "/v1/files/:id",
  answer(call) {
    if (!memory.files.delete(call.id)) return notFound(call);
    return json({ id: call.id, object: "file", deleted: true });
  },
});

/** The one with more in its path first. */
export function createFileEndpoints(memory: SimulatorMemory): readonly Endpoint[] {
  return [
    uploadFile(memory),
    listFiles(memory),
    readFile(memory),
    retrieveFile(memory),
    deleteFile(memory),
  ];
}

function fileObject({ id, bytes, createdAtSeconds, filename, purpose }: StoredFile) {
  return {
    id,
    object: "file",
    bytes,
    created_at: createdAtSeconds,
    filename,
    purpose,
    status: "processed",
  };
}

function json(body: object): Answer {
  return { kind: "json", body, outputTokens: 0 };
}

function notFound({ id }: Call): Answer {
  return refuse(404, `No such File object: ${id}`, { code: "not_found", param: "id" });
}
