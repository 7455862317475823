/** Where an input is handed over: what is typed, pasted, drawn, spoken or dropped, as the run reads it. */

import { upload } from "../../api/client";
import type { Asked, Input, Upload } from "../../api/types";
import { dropZone } from "../../components/dropzone";
import { toastError } from "../../components/toast";
import { h } from "../../dom";
import { t } from "../../messages/ask";
import type { OpenedRun } from "./open";
import { Pad, type Stroke } from "./pad";
import { parseNumbers, preview, writeInput, writeNumbers } from "./parse";
import { microphone } from "./sound";

export interface AskerOptions {
  opened: OpenedRun;
  signal: AbortSignal;
  /** From a link; else the run's own example. */
  initial: Input | null;
  /** Called when there is another input: at once for a file, a drawing or an example, with `typed` while it is typed. */
  onChange(typed: boolean): void;
}

const PICTURE_SIDE = 28;
const EXAMPLES_SHOWN = 5;

export class Asker {
  readonly element = h("div", { class: "asker" });
  /** Whether what is there is an example of the run's own. */
  isExample: boolean;
  /** The file that was chosen last, as the page itself shows it. */
  file: File | null = null;
  private input: Input | null;
  private sent: Upload | null = null;
  private readonly field: HTMLTextAreaElement;
  private readonly using = h("p", { class: "note", role: "status" });

  constructor(private readonly options: AskerOptions) {
    const { opened: { run, examples }, initial } = options;
    this.input = initial ?? examples[0] ?? null;
    this.isExample = initial === null && this.input !== null;
    const isText = run.input.kind === "text";
    this.field = h("textarea", { rows: isText ? 3 : 4, spellcheck: "false", dir: "auto", "aria-label": t(isText ? "text" : "numbers"), class: isText ? "text-input" : "mono" });
    this.field.addEventListener("input", () => this.typed());
    this.build();
    this.showInput();
  }

  /** What is asked, as the calls take it; null where nothing is there. */
  asked(): Asked | null {
    if (this.sent) return { upload: this.sent.id };
    const input = this.readInput();
    return input === null || input === "" ? null : { inputs: [input] };
  }

  /** What a link keeps. */
  link(): string | null {
    return this.sent || this.isExample ? null : writeInput(this.input);
  }

  text(): string {
    return this.field.value;
  }

  setText(text: string): void {
    this.field.value = text;
    this.typed();
  }

  focus(): void {
    this.field.focus();
  }

  /** Take an input in the place of what is there. */
  take(input: Input, isExample = false): void {
    this.using.textContent = "";
    [this.input, this.sent, this.isExample] = [input, null, isExample];
    this.showInput();
    this.options.onChange(false);
  }

  private readInput(): Input | null {
    const { kind } = this.options.opened.run.input;
    if (typeof this.input !== "string" || this.input.trim() === "") return this.input === "" ? null : this.input;
    if (kind === "table" && /\p{L}/u.test(this.input)) return { csv: this.input };
    return kind === "series" || kind === "table" ? parseNumbers(this.input) : this.input;
  }

  private typed(): void {
    this.using.textContent = "";
    [this.input, this.sent, this.isExample] = [this.field.value, null, false];
    this.options.onChange(true);
  }

  private showInput(): void {
    const { input } = this;
    if (typeof input === "string") this.field.value = input;
    else if (input !== null && "csv" in input) this.field.value = input.csv;
    else if (input !== null && Array.isArray(input)) this.field.value = writeNumbers(input as number[]);
  }

  private build(): void {
    const { opened: { run }, signal } = this.options;
    const { kind } = run.input;
    const takes = (found: Upload): void => {
      [this.sent, this.isExample] = [found, false];
      this.using.textContent = t("using", { name: found.name });
      this.options.onChange(false);
    };
    if (kind === "text" || kind === "series" || kind === "table") this.element.append(this.field);
    if (kind === "pen") this.element.append(this.pad(0.4, 0.012, (strokes, pad) => ({ strokes: strokes.map((stroke) => stroke.map(([x, y]): [number, number] => [x * pad.width, y * pad.width])) })));
    if (kind === "picture") this.pictures();
    if (kind === "sound") this.element.append(microphone(signal, (file) => void this.send(file, takes)));
    const examples = this.examples();
    if (examples) this.element.append(examples);
    this.element.append(this.using);
    if (kind !== "none") this.element.append(this.files(takes));
  }

  private files(takes: (found: Upload) => void): HTMLElement {
    const { opened: { run, session }, signal } = this.options;
    const accept = { sound: "audio/*,.wav", picture: "image/*" }[run.input.kind as string];
    const zone = dropZone({ label: t("file"), limit: session.upload_limit, signal, ...(accept ? { accept } : {}) }, takes);
    const keep = (files: FileList | null | undefined): void => {
      this.file = files?.[0] ?? null;
    };
    zone.addEventListener("change", (event) => keep((event.target as HTMLInputElement).files), { capture: true });
    zone.addEventListener("drop", (event) => keep(event.dataTransfer?.files), { capture: true });
    return h("details", { class: "file-details", open: run.input.kind === "sound" || run.input.kind === "picture" }, h("summary", {}, t("file")), zone);
  }

  private async send(file: File, takes: (found: Upload) => void): Promise<void> {
    try {
      takes(await upload(file, () => undefined, this.options.signal));
    } catch (error) {
      toastError(error);
    }
  }

  /** A small grey picture is drawn by hand; others come as files. */
  private pictures(): void {
    const example = this.options.opened.examples[0];
    const pixels = typeof example === "object" && "pixels" in example ? example.pixels : null;
    const [height, width] = [pixels?.length ?? PICTURE_SIDE, pixels?.[0]?.length ?? PICTURE_SIDE];
    const isGrey = pixels !== null && !Array.isArray(pixels[0]?.[0]);
    if (isGrey && Math.max(height, width) <= 64) this.element.append(this.pad(height / width, 2.2 / height, (_, pad) => ({ pixels: pad.pixels(width, height) })));
  }

  private pad(shape: number, thickness: number, read: (strokes: readonly Stroke[], pad: PadReader) => Input): HTMLElement {
    const pad: Pad = new Pad({
      signal: this.options.signal,
      shape,
      thickness,
      onChange: (strokes) => {
        if (!strokes.length) return;
        this.take(read(strokes, { width: 1000, pixels: (width, height) => pad.pixels(width, height) }));
      },
    });
    return pad.element;
  }

  private examples(): HTMLElement | false {
    const given = this.options.opened.examples.slice(0, EXAMPLES_SHOWN);
    if (!given.length) return false;
    const chips = given.map((input, place) => h("button", { type: "button", class: "chip-button", on: { click: () => this.take(input, true) } }, preview(input) || t("exampleName", { n: place + 1 })));
    return h("div", { class: "chips", role: "group", "aria-label": t("examples") }, h("span", { class: "note" }, t("examples")), chips);
  }
}

interface PadReader {
  /** Of the sheet, in the units of a pen. */
  width: number;
  pixels(width: number, height: number): number[][];
}
