import { SeededRandom } from "./seeded-random.ts";

/** What OpenAI's `pcm` and `wav` have: 24 kHz, 16 bits, one channel. */
const SAMPLE_RATE = 24_000;
const BYTES_PER_SAMPLE = 2;
const WORD_SECONDS = 0.25;
const SAMPLES_PER_WORD = SAMPLE_RATE * WORD_SECONDS;
const FADE_SAMPLES = 480;
const LOUDNESS = 0.2 * 32_767;
/** Tones of the scale of C major, in hertz. */
const TONES = [261.63, 293.66, 329.63, 392, 440, 523.25] as const;

export const PCM_BYTES_PER_WORD = SAMPLES_PER_WORD * BYTES_PER_SAMPLE;
export const WAV_HEADER_BYTES = 44;

/** A word as a short tone, in little-endian samples; which tone hangs on the word and the voice. */
export function pcmOfWord(word: string, voice: string): Buffer {
  const random = new SeededRandom(`${voice}/${word.trim()}`);
  const hertz = TONES[random.below(TONES.length)] ?? TONES[0];
  const pcm = Buffer.alloc(PCM_BYTES_PER_WORD);
  for (let at = 0; at < SAMPLES_PER_WORD; at += 1) {
    const toEdge = Math.min(at, SAMPLES_PER_WORD - 1 - at);
    const fade = Math.min(1, toEdge / FADE_SAMPLES);
    const value = Math.sin((2 * Math.PI * hertz * at) / SAMPLE_RATE);
    pcm.writeInt16LE(Math.round(LOUDNESS * fade * value), at * BYTES_PER_SAMPLE);
  }
  return pcm;
}

/** The header of a WAV file. Source: "Multimedia Programming Interface and Data Specifications 1.0", IBM and Microsoft. */
export function wavHeader(pcmBytes: number): Buffer {
  const header = Buffer.alloc(WAV_HEADER_BYTES);
  header.write("RIFF", 0, "latin1");
  header.writeUInt32LE(WAV_HEADER_BYTES - 8 + pcmBytes, 4);
  header.write("WAVEfmt ", 8, "latin1");
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(SAMPLE_RATE, 24);
  header.writeUInt32LE(SAMPLE_RATE * BYTES_PER_SAMPLE, 28);
  header.writeUInt16LE(BYTES_PER_SAMPLE, 32);
  header.writeUInt16LE(BYTES_PER_SAMPLE * 8, 34);
  header.write("data", 36, "latin1");
  header.writeUInt32LE(pcmBytes, 40);
  return header;
}

/** Of MPEG-1 layer III at 32 kbit/s and 44.1 kHz in one channel: 1,152 samples, so 26 ms. */
const MP3_FRAME_BYTES = 104;
const MP3_FRAMES_PER_WORD = 10;
export const MP3_BYTES_PER_WORD = MP3_FRAME_BYTES * MP3_FRAMES_PER_WORD;

/**
 * A word's time in silence as MP3: frames whose side information and main data are zeros. An encoder for tones would be
 * larger than all the rest of the simulator. Source of the header: ISO/IEC 11172-3, section 2.4.2.3.
 */
export function mp3OfWord(): Buffer {
  const frames = Buffer.alloc(MP3_BYTES_PER_WORD);
  for (let at = 0; at < frames.length; at += MP3_FRAME_BYTES) frames.writeUInt32BE(0xfffb10c4, at);
  return frames;
}
