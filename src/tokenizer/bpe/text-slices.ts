/**
 * Longest run, in bytes of UTF-8, that is handed to the tokenizer in one piece. Byte-pair merging takes time in the
 * square of a piece's bytes, and a caller can send a megabyte of one letter.
 */
export const MAX_RUN_BYTES = 192;

/**
 * Cuts a text so that no piece of it, as the tokenizer would split it, is longer than MAX_RUN_BYTES. Ordinary text
 * stays whole. A cut adds at most a token or two, and hardly ever one where it falls before a space.
 *
 * Only what is sure to end a piece ends a run: a digit, and a change between ASCII letters and other ASCII characters.
 * Beyond ASCII nothing is sure without the Unicode tables, so there a run goes on until it is cut.
 */
export function sliceText(text: string): readonly string[] {
  const slices: string[] = [];
  let sliceStart = 0;
  let runStart = 0;
  let runBytes = 0;
  let lastSpace = 0;
  let previous: Kind = "symbol";
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    const kind = kindOf(code);
    if (endsRun(previous, kind)) {
      runStart = i;
      runBytes = 0;
    }
    if (code === SPACE) lastSpace = i;
    previous = kind;
    runBytes += bytesOf(code);
    if (runBytes <= MAX_RUN_BYTES || i === runStart) continue;
    const cut = lastSpace > runStart ? lastSpace : wholeCharacter(text, i);
    slices.push(text.slice(sliceStart, cut));
    sliceStart = cut;
    runStart = cut;
    runBytes = 0;
    // What stands between a cut at a space and here is read again, as the beginning of the next run.
    i = cut - 1;
  }
  if (sliceStart < text.length) slices.push(text.slice(sliceStart));
  return slices;
}

type Kind = "letter" | "digit" | "symbol" | "beyond ASCII";

const SPACE = 32;

function kindOf(code: number): Kind {
  if (code > 127) return "beyond ASCII";
  if ((code >= 97 && code <= 122) || (code >= 65 && code <= 90)) return "letter";
  return code >= 48 && code <= 57 ? "digit" : "symbol";
}

function endsRun(previous: Kind, kind: Kind): boolean {
  if (kind === "digit") return true;
  if (previous === "beyond ASCII" || kind === "beyond ASCII") return false;
  return (previous === "letter") !== (kind === "letter");
}

/** A surrogate counts as the three bytes it takes when it stands alone; a pair takes four. */
function bytesOf(code: number): number {
  if (code <= 0x7f) return 1;
  return code <= 0x7_ff ? 2 : 3;
}

/** One character back where the cut would divide a surrogate pair. */
function wholeCharacter(text: string, position: number): number {
  const isLow = text.charCodeAt(position) >= 0xdc_00 && text.charCodeAt(position) <= 0xdf_ff;
  const isPair =
    isLow && text.charCodeAt(position - 1) >= 0xd8_00 && text.charCodeAt(position - 1) <= 0xdb_ff;
  return isPair ? position - 1 : position;
}
