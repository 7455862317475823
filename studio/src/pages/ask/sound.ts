/** The microphone: what was said, as a WAV file of one channel. */

import { h } from "../../dom";
import { t } from "../../messages/ask";

const [HEADER, BYTES] = [44, 2];

export function microphone(signal: AbortSignal, recorded: (file: File) => void): HTMLElement {
  const status = h("span", { class: "note", role: "status" });
  const toggle = h("button", { type: "button" }, t("record"));
  let recorder: MediaRecorder | null = null;
  const start = async (): Promise<void> => {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    const pieces: Blob[] = [];
    const begun = performance.now();
    const clock = setInterval(() => (status.textContent = t("recording", { n: Math.round((performance.now() - begun) / 1000) })), 250);
    recorder = new MediaRecorder(stream);
    recorder.ondataavailable = (event) => pieces.push(event.data);
    recorder.onstop = () => {
      clearInterval(clock);
      for (const track of stream.getTracks()) track.stop();
      status.textContent = "";
      toggle.textContent = t("record");
      recorder = null;
      if (!signal.aborted) void toWav(new Blob(pieces)).then(recorded, fail);
    };
    recorder.start();
    toggle.textContent = t("stop");
  };
  const fail = (error: unknown): void => {
    status.textContent = t("noMicrophone", { why: error instanceof Error ? error.message : String(error) });
  };
  toggle.addEventListener("click", () => (recorder ? recorder.stop() : void start().catch(fail)));
  signal.addEventListener("abort", () => recorder?.stop());
  return h("div", { class: "toolbar" }, toggle, status);
}

async function toWav(blob: Blob): Promise<File> {
  const context = new AudioContext();
  try {
    const sound = await context.decodeAudioData(await blob.arrayBuffer());
    const channels = Array.from({ length: sound.numberOfChannels }, (_, channel) => sound.getChannelData(channel));
    const mono = Float32Array.from({ length: sound.length }, (_, place) => channels.reduce((sum, channel) => sum + (channel[place] ?? 0), 0) / channels.length);
    return new File([wav(mono, sound.sampleRate)], "recording.wav", { type: "audio/wav" });
  } finally {
    await context.close();
  }
}

/** Write samples from -1 to 1 as 16-bit PCM. */
export function wav(samples: Float32Array, rate: number): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(HEADER + BYTES * samples.length));
  const text = (at: number, letters: string): void => [...letters].forEach((letter, place) => view.setUint8(at + place, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, HEADER - 8 + BYTES * samples.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * BYTES, true);
  view.setUint16(32, BYTES, true);
  view.setUint16(34, 8 * BYTES, true);
  text(36, "data");
  view.setUint32(40, BYTES * samples.length, true);
  samples.forEach((sample, place) => view.setInt16(HEADER + BYTES * place, Math.max(-1, Math.min(1, sample)) * 0x7fff, true));
  return view.buffer;
}
