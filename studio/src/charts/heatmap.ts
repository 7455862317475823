/**
 * A heat map of units × steps on a canvas: zoomed by wheel and keys, read under the pointer or a cursor, with a stretch that can be chosen.
 *
 * The map is painted once per view; a pointer that moves paints only the layer above it.
 */

import { h } from "../dom";
import { onThemeChange } from "../theme";
import { HeatmapCanvas } from "./heatmap-canvas";
import { type Extent, type View, indexAt, isWhole, reveal, shift, wholeView, zoomView } from "./heatmap-view";
import { type Matrix, type Place, extremes, valueAt } from "./matrix";

/** What the map says, in the reader's language. */
export interface HeatmapWords {
  label: string;
  /** The value of the middle colour, between blue and orange. */
  middle: number;
  keys: string;
  zoomIn: string;
  zoomOut: string;
  whole: string;
  earlier: string;
  later: string;
  reading(place: Place, value: number): string;
  summary(lowest: Place, low: number, highest: Place, high: number): string;
}

export interface HeatmapOptions {
  /** Ends with the page. */
  signal: AbortSignal;
  matrix: Matrix;
  words: HeatmapWords;
  order?: readonly number[];
  /** Where a link left the view. */
  steps?: Extent;
  units?: Extent;
  selection?: Extent | null;
  marked?: readonly Extent[];
  cursor?: Place | null;
  onView?(view: View): void;
  onSelect?(selection: Extent | null): void;
  onPick?(place: Place): void;
}

const ZOOM_PER_NOTCH = 1.2;
const ZOOM_PER_KEY = 1.5;
const MIN_DRAG = 4;

export class Heatmap {
  readonly element: HTMLElement;
  private matrix: Matrix;
  private words: HeatmapWords;
  private order: readonly number[];
  private view: View;
  private selection: Extent | null;
  private marked: readonly Extent[];
  private cursor: Place | null;
  private dragFrom: { x: number; step: number } | null = null;
  private dragged = false;
  private asked = 0;
  private readonly canvas = new HeatmapCanvas(() => this.surface);
  private readonly surface: HTMLElement;
  private readonly reading = h("p", { class: "heatmap-reading", role: "status" });
  private readonly summary = h("p", { class: "note" });

  constructor(private readonly options: HeatmapOptions) {
    const { words } = options;
    this.matrix = options.matrix;
    this.words = words;
    this.order = options.order ?? Array.from({ length: this.matrix.units }, (_, unit) => unit);
    const whole = wholeView(this.matrix.steps, this.matrix.units);
    this.view = { steps: options.steps ?? whole.steps, units: options.units ?? whole.units };
    this.selection = options.selection ?? null;
    this.marked = options.marked ?? [];
    this.cursor = options.cursor ?? null;
    this.surface = h("div", { class: "heatmap-surface", role: "application", tabindex: "0", "aria-label": words.label }, this.canvas.map, this.canvas.above);
    this.element = h("figure", { class: "heatmap" }, this.toolbar(), this.surface, this.reading, this.summary, h("p", { class: "note" }, words.keys));
    this.listen();
    this.describe();
  }

  /** Show other values of the same steps and units, as another gate has. */
  show(matrix: Matrix, order: readonly number[], words: HeatmapWords): void {
    this.words = words;
    this.surface.setAttribute("aria-label", words.label);
    this.reading.textContent = "";
    const same = matrix.steps === this.matrix.steps && matrix.units === this.matrix.units;
    this.matrix = matrix;
    this.order = order;
    if (!same) this.view = wholeView(matrix.steps, matrix.units);
    this.canvas.forget();
    this.describe();
    this.schedule();
  }

  /** Put the cursor on a place and bring it into view; nothing is told to `onPick`. */
  moveCursor(place: Place): void {
    this.cursor = place;
    const row = this.rowOf(place.unit);
    this.setView({ steps: reveal(this.view.steps, place.step, this.matrix.steps), units: reveal(this.view.units, row, this.matrix.units) });
  }

  mark(places: readonly Extent[]): void {
    this.marked = places;
    this.drawAbove();
  }

  select(selection: Extent | null): void {
    this.selection = selection;
    this.drawAbove();
    this.options.onSelect?.(selection);
  }

  private rowOf(unit: number): number {
    return Math.max(0, this.order.indexOf(unit));
  }

  private describe(): void {
    const { lowest, highest } = extremes(this.matrix);
    const low = valueAt(this.matrix, lowest.step, lowest.unit);
    this.summary.textContent = this.words.summary(lowest, low, highest, valueAt(this.matrix, highest.step, highest.unit));
  }

  private toolbar(): HTMLElement {
    const { words } = this;
    const middle = (factor: number): void => this.zoomBy(factor, 0.5, 0.5, false);
    return h(
      "div",
      { class: "toolbar", role: "group", "aria-label": words.label },
      tool("+", words.zoomIn, () => middle(1 / ZOOM_PER_KEY)),
      tool("−", words.zoomOut, () => middle(ZOOM_PER_KEY)),
      tool("←", words.earlier, () => this.pan(-0.5)),
      tool("→", words.later, () => this.pan(0.5)),
      tool(words.whole, words.whole, () => this.setView(wholeView(this.matrix.steps, this.matrix.units))),
    );
  }

  private listen(): void {
    const { surface } = this;
    const sizes = new ResizeObserver(() => this.schedule());
    sizes.observe(surface);
    this.options.signal.addEventListener("abort", () => sizes.disconnect());
    surface.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    surface.addEventListener("pointerdown", (event) => this.onDown(event));
    surface.addEventListener("pointermove", (event) => this.onMove(event));
    surface.addEventListener("pointerup", (event) => this.onUp(event));
    surface.addEventListener("pointercancel", () => (this.dragFrom = null));
    surface.addEventListener("keydown", (event) => this.onKey(event));
    onThemeChange(() => this.repaint(), this.options.signal);
  }

  private repaint(): void {
    this.canvas.forget();
    this.schedule();
  }

  private schedule(): void {
    if (this.asked) return;
    this.asked = requestAnimationFrame(() => {
      this.asked = 0;
      if (this.element.isConnected) this.draw();
    });
  }

  private setView(view: View): void {
    this.view = view;
    this.schedule();
    this.options.onView?.(view);
  }

  private zoomBy(factor: number, x: number, y: number, both: boolean): void {
    this.setView(zoomView(this.view, factor, x, y, this.matrix.steps, this.matrix.units, both));
  }

  private pan(share: number): void {
    const { steps } = this.view;
    this.setView({ ...this.view, steps: shift(steps, share * (steps.to - steps.from), this.matrix.steps) });
  }

  private shares(event: MouseEvent): { x: number; y: number } {
    const box = this.surface.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  }

  private placeAt(event: MouseEvent): Place {
    const { x, y } = this.shares(event);
    const row = indexAt(this.view.units, y, this.matrix.units);
    return { step: indexAt(this.view.steps, x, this.matrix.steps), unit: this.order[row] ?? row };
  }

  /** Away from the reader zooms out, and scrolls the page where all is seen already. */
  private onWheel(event: WheelEvent): void {
    if (event.deltaY > 0 && !event.shiftKey && isWhole(this.view, this.matrix.steps, this.matrix.units)) return;
    event.preventDefault();
    const { x, y } = this.shares(event);
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.pan(Math.sign(event.deltaX || event.deltaY) * 0.1);
    else this.zoomBy(event.deltaY > 0 ? ZOOM_PER_NOTCH : 1 / ZOOM_PER_NOTCH, x, y, event.ctrlKey || event.altKey);
  }

  private onDown(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.surface.setPointerCapture(event.pointerId);
    this.dragFrom = { x: event.clientX, step: this.placeAt(event).step };
    this.dragged = false;
  }

  private onMove(event: PointerEvent): void {
    const place = this.placeAt(event);
    if (this.dragFrom && (this.dragged || Math.abs(event.clientX - this.dragFrom.x) > MIN_DRAG)) {
      this.dragged = true;
      this.selection = { from: Math.min(this.dragFrom.step, place.step), to: Math.max(this.dragFrom.step, place.step) + 1 };
    }
    this.read(place);
  }

  private onUp(event: PointerEvent): void {
    if (!this.dragFrom) return;
    this.dragFrom = null;
    if (this.dragged) this.select(this.selection);
    else this.pick(this.placeAt(event));
  }

  private pick(place: Place): void {
    this.read(place);
    this.options.onPick?.(place);
  }

  private read(place: Place): void {
    this.cursor = place;
    this.reading.textContent = this.words.reading(place, valueAt(this.matrix, place.step, place.unit));
    this.drawAbove();
  }

  private onKey(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const place = this.cursor ?? { step: Math.floor(this.view.steps.from), unit: this.order[Math.floor(this.view.units.from)] ?? 0 };
    if (!this.onCursorKey(event, place) && !this.onOtherKey(event.key, place)) return;
    event.preventDefault();
  }

  private onCursorKey(event: KeyboardEvent, place: Place): boolean {
    const page = Math.max(1, Math.round((this.view.steps.to - this.view.steps.from) / 10));
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], PageUp: [-page, 0], PageDown: [page, 0], Home: [-Infinity, 0], End: [Infinity, 0] }[event.key];
    if (!by) return false;
    const step = Math.min(this.matrix.steps - 1, Math.max(0, place.step + (by[0] as number)));
    const row = Math.min(this.matrix.units - 1, Math.max(0, this.rowOf(place.unit) + (by[1] as number)));
    if (event.shiftKey) this.extend(place.step, step);
    const next = { step, unit: this.order[row] ?? row };
    this.moveCursor(next);
    this.read(next);
    return true;
  }

  /** Shift and an arrow choose a stretch, as they do in a text. */
  private extend(from: number, to: number): void {
    const chosen = this.selection ?? { from, to: from + 1 };
    const atStart = from === chosen.from && from !== chosen.to - 1;
    const other = atStart ? chosen.to - 1 : chosen.from;
    this.select({ from: Math.min(other, to), to: Math.max(other, to) + 1 });
  }

  private onOtherKey(key: string, place: Place): boolean {
    if (key === "+" || key === "=") this.zoomAtCursor(1 / ZOOM_PER_KEY, place);
    else if (key === "-") this.zoomAtCursor(ZOOM_PER_KEY, place);
    else if (key === "0") this.setView(wholeView(this.matrix.steps, this.matrix.units));
    else if (key === "Enter" || key === " ") this.pick(place);
    else if (key === "Escape" && this.selection) this.select(null);
    else return false;
    return true;
  }

  private zoomAtCursor(factor: number, place: Place): void {
    const { steps } = this.view;
    this.zoomBy(factor, Math.min(1, Math.max(0, (place.step + 0.5 - steps.from) / (steps.to - steps.from))), 0.5, false);
  }

  private draw(): void {
    this.canvas.draw(this.matrix, this.order, this.words.middle, this.view);
    this.drawAbove();
  }

  private drawAbove(): void {
    const cursor = this.cursor && { step: this.cursor.step, row: this.rowOf(this.cursor.unit) };
    this.canvas.drawMarks(this.view, { cursor, selection: this.selection, others: this.marked });
  }
}

function tool(text: string, name: string, click: () => void): HTMLElement {
  return h("button", { type: "button", "aria-label": name, title: name, on: { click } }, text);
}
