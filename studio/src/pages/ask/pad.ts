/** A sheet to write or draw on, with the pointer or with keys alone; it gives strokes, or a picture of a wanted size. */

import { h } from "../../dom";
import { t } from "../../messages/ask";
import { colour, onThemeChange } from "../../theme";

export type Stroke = [x: number, y: number][];

export interface PadOptions {
  signal: AbortSignal;
  /** Height over width. */
  shape: number;
  /** Thickness of the pen as a share of the height. */
  thickness: number;
  /** Part of the height that can be drawn on, from the top; the rest is left to the model. */
  upper?: number;
  onChange(strokes: readonly Stroke[]): void;
}

const KEY_STEP = 0.02;

export class Pad {
  readonly element: HTMLElement;
  private readonly canvas = h("canvas", { "aria-hidden": "true" });
  private readonly surface: HTMLElement;
  private readonly status = h("span", { class: "note", role: "status" });
  private strokes: Stroke[] = [];
  private drawing = false;
  private pen: [number, number];

  constructor(private readonly options: PadOptions) {
    this.pen = [0.5, options.shape / 2];
    this.surface = h("div", { class: "pad", role: "application", tabindex: "0", "aria-label": `${t("pad")}. ${t("drawHere")}` }, this.canvas);
    this.surface.style.aspectRatio = `1 / ${options.shape}`;
    const buttons = h(
      "div",
      { class: "toolbar" },
      h("button", { type: "button", on: { click: () => this.keep(this.strokes.slice(0, -1)) } }, t("undo")),
      h("button", { type: "button", on: { click: () => this.keep([]) } }, t("clear")),
      this.status,
    );
    this.element = h("div", { class: "pad-box" }, this.surface, h("p", { class: "note" }, t("drawHere")), buttons);
    this.listen();
  }

  /** Grey levels from 0 (ground) to 255 (ink), height × width, as the strokes lie in the whole sheet. */
  pixels(width: number, height: number): number[][] {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d");
    if (context === null) throw new Error("this browser draws no canvas");
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    this.trace(context, width, "#fff", this.options.thickness * height);
    const { data } = context.getImageData(0, 0, width, height);
    return Array.from({ length: height }, (_, row) => Array.from({ length: width }, (_, column) => data[4 * (row * width + column)] ?? 0));
  }

  private listen(): void {
    const { surface } = this;
    const { signal } = this.options;
    const sizes = new ResizeObserver(() => this.draw());
    sizes.observe(surface);
    signal.addEventListener("abort", () => sizes.disconnect());
    onThemeChange(() => this.draw(), signal);
    surface.addEventListener("pointerdown", (event) => {
      surface.setPointerCapture(event.pointerId);
      this.strokes.push([]);
      this.drawing = true;
      this.extend(this.at(event));
    });
    surface.addEventListener("pointermove", (event) => this.drawing && this.extend(this.at(event)));
    for (const end of ["pointerup", "pointercancel"]) surface.addEventListener(end, () => this.lift());
    surface.addEventListener("keydown", (event) => this.onKey(event));
  }

  private at(event: PointerEvent): [number, number] {
    const box = this.surface.getBoundingClientRect();
    return this.inside((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.width);
  }

  private inside(x: number, y: number): [number, number] {
    const lowest = this.options.shape * (this.options.upper ?? 1);
    return [Math.min(1, Math.max(0, x)), Math.min(lowest, Math.max(0, y))];
  }

  private extend(point: [number, number]): void {
    this.pen = point;
    this.strokes.at(-1)?.push(point);
    this.draw();
  }

  private lift(): void {
    if (!this.drawing) return;
    this.drawing = false;
    this.keep(this.strokes);
  }

  private onKey(event: KeyboardEvent): void {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === " ") {
      if (this.drawing) this.lift();
      else {
        this.strokes.push([this.pen]);
        this.drawing = true;
      }
    } else if (by) {
      this.pen = this.inside(this.pen[0] + (by[0] as number) * KEY_STEP, this.pen[1] + (by[1] as number) * KEY_STEP);
      if (this.drawing) this.strokes.at(-1)?.push(this.pen);
    } else return;
    event.preventDefault();
    this.status.textContent = t(this.drawing ? "penDown" : "penUp");
    this.draw();
  }

  private keep(strokes: Stroke[]): void {
    this.strokes = strokes;
    this.draw();
    this.options.onChange(strokes);
  }

  private trace(context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D, scale: number, ink: string, thickness: number): void {
    Object.assign(context, { strokeStyle: ink, lineWidth: thickness, lineCap: "round", lineJoin: "round" });
    for (const stroke of this.strokes) {
      context.beginPath();
      for (const [x, y] of stroke) context.lineTo(x * scale, y * scale);
      if (stroke.length === 1) context.lineTo((stroke[0]?.[0] ?? 0) * scale + 0.1, (stroke[0]?.[1] ?? 0) * scale);
      context.stroke();
    }
  }

  private draw(): void {
    const [width, height] = [this.surface.clientWidth * devicePixelRatio, this.surface.clientHeight * devicePixelRatio];
    const context = this.canvas.getContext("2d");
    if (!width || context === null) return;
    Object.assign(this.canvas, { width, height });
    const upper = this.options.upper ?? 1;
    if (upper < 1) {
      context.fillStyle = colour("--faint");
      context.fillRect(0, height * upper, width, height);
    }
    this.trace(context, width, colour("--ink"), this.options.thickness * height);
    context.fillStyle = colour("--held");
    context.beginPath();
    context.arc(this.pen[0] * width, this.pen[1] * width, 3 * devicePixelRatio, 0, 2 * Math.PI);
    context.fill();
  }
}
