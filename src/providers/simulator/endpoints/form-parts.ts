import { refuse, type Refusal } from "../endpoint.ts";
import type { MultipartFile, MultipartForm } from "../http/multipart-reader.ts";

/** The first file of a form's field. */
export function fileOf(form: MultipartForm, field: string): MultipartFile | undefined {
  return form.files.find((one) => one.field === field);
}

export function missing(param: string): Refusal {
  const code = "missing_required_parameter";
  return refuse(400, `Missing required parameter: '${param}'.`, { code, param });
}
