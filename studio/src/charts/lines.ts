/** Curves over steps, read by pointer and arrow keys: gates of a unit, memory by lag, scores of a series. */

import { h, replace, svg } from "../dom";
import { decimal } from "../i18n";
import { t } from "../messages/charts";
import { type Scale, linear, logarithmic, padded, powersOfTen, range, ticks } from "./axes";
import type { Extent } from "./heatmap-view";
import { chartTable } from "./table";

export interface Curve {
  name: string;
  /** A value for each place, null where there is none. */
  values: readonly (number | null)[];
  /** Its colour: one of g0 to g9, train, held, other, known, early. */
  style: string;
}

export interface LinesOptions {
  signal: AbortSignal;
  title: string;
  sentence: string;
  /** The name of places: "step", "steps back". */
  axis: string;
  /** What stands at a place, as the word that was read. */
  placeName(place: number): string;
  curves: readonly Curve[];
  height?: number;
  log?: boolean;
  /** The ends of the vertical axis, where they are known. */
  domain?: readonly [number, number];
  /** The words along the axis instead of numbers, where there is room. */
  words?: readonly string[];
  bands?: readonly Extent[];
  cursor?: number | null;
  onPick?(place: number): void;
}

const LEFT = 46;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 34;
const MIN_WORD_WIDTH = 16;

export class LinesChart {
  readonly element: HTMLElement;
  private readonly surface: HTMLElement;
  private readonly reading = h("p", { class: "chart-reading", role: "status" });
  private cursor: number | null;
  private hair: SVGLineElement | null = null;
  private x: Scale = linear(0, 1, 0, 1);
  private readonly count: number;

  constructor(private readonly options: LinesOptions) {
    this.count = Math.max(0, ...options.curves.map((curve) => curve.values.length));
    this.cursor = options.cursor ?? null;
    this.surface = h("div", { class: "chart-surface", role: "application", tabindex: "0", "aria-label": `${options.title}. ${t("arrowKeys")}` });
    this.surface.style.height = `${options.height ?? 220}px`;
    const legend = options.curves.length > 1 && h("p", { class: "legend" }, options.curves.map((curve) => h("span", { class: curve.style }, curve.name)));
    this.element = h(
      "figure",
      { class: "chart-figure" },
      h("figcaption", {}, h("h3", {}, options.title), h("p", { class: "note" }, options.sentence), legend),
      this.surface,
      this.reading,
      this.table(),
    );
    this.listen();
  }

  moveCursor(place: number | null): void {
    this.cursor = place;
    this.showCursor();
  }

  private table(): HTMLElement {
    const { curves, axis, placeName, title } = this.options;
    const rows = Array.from({ length: this.count }, (_, place) => [placeName(place), ...curves.map((curve) => decimal(curve.values[place]))]);
    return chartTable(title, [axis, ...curves.map((curve) => curve.name)], rows);
  }

  private listen(): void {
    const sizes = new ResizeObserver(() => this.draw());
    sizes.observe(this.surface);
    this.options.signal.addEventListener("abort", () => sizes.disconnect());
    const place = (event: MouseEvent): number => this.clamp(Math.round(this.x.from(event.clientX - this.surface.getBoundingClientRect().left)));
    this.surface.addEventListener("pointermove", (event) => this.moveCursor(place(event)));
    this.surface.addEventListener("click", (event) => this.pick(place(event)));
    this.surface.addEventListener("keydown", (event) => {
      const from = this.cursor ?? 0;
      const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: this.count - 1, Enter: from }[event.key];
      if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      this.pick(this.clamp(to));
    });
  }

  private clamp(place: number): number {
    return Math.min(this.count - 1, Math.max(0, place));
  }

  private pick(place: number): void {
    this.moveCursor(place);
    this.options.onPick?.(place);
  }

  private showCursor(): void {
    if (this.cursor === null || this.hair === null) return;
    const at = this.x.at(this.cursor);
    this.hair.setAttribute("x1", String(at));
    this.hair.setAttribute("x2", String(at));
    this.hair.removeAttribute("visibility");
    const { curves, placeName } = this.options;
    const values = curves.map((curve) => `${curve.name} ${decimal(curve.values[this.cursor ?? 0])}`);
    this.reading.textContent = `${placeName(this.cursor)}: ${values.join(", ")}`;
  }

  private yScale(height: number): Scale {
    const { curves, domain, log } = this.options;
    const values = curves.flatMap((curve) => curve.values.filter((each) => each !== null && (!log || each > 0)));
    const found = domain ? ([...domain] as [number, number]) : range(values);
    if (!log) return linear(...(domain ? found : padded(found)), height - BOTTOM, TOP);
    return logarithmic(found[0], Math.max(found[1], found[0] * 10), height - BOTTOM, TOP);
  }

  private draw(): void {
    const width = this.surface.clientWidth;
    const height = this.surface.clientHeight;
    if (!width || !height) return;
    this.x = linear(0, Math.max(1, this.count - 1), LEFT, width - RIGHT);
    const y = this.yScale(height);
    this.hair = svg("line", { class: "hair", y1: TOP, y2: height - BOTTOM, visibility: "hidden" });
    const bands = (this.options.bands ?? []).map(({ from, to }) =>
      svg("rect", { class: "alarm", x: this.x.at(from - 0.5), width: Math.max(2, this.x.at(to - 0.5) - this.x.at(from - 0.5)), y: TOP, height: height - BOTTOM - TOP }),
    );
    const curves = this.options.curves.map((curve) => svg("path", { class: `curve ${curve.style}`, d: this.path(curve, y) }));
    replace(this.surface, svg("svg", { width, height, "aria-hidden": "true" }, this.grid(y, width), this.axis(width, height), bands, curves, this.hair));
    this.showCursor();
  }

  private path(curve: Curve, y: Scale): string {
    let path = "";
    let open = false;
    for (const [place, value] of curve.values.entries()) {
      if (value === null || !Number.isFinite(value) || (this.options.log && value <= 0)) open = false;
      else {
        path += `${open ? "L" : "M"}${this.x.at(place).toFixed(1)} ${y.at(value).toFixed(1)}`;
        if (!open && this.count === 1) path += "h0.1";
        open = true;
      }
    }
    return path;
  }

  private grid(y: Scale, width: number): SVGElement[] {
    const values = this.options.log ? powersOfTen(y.low, y.high) : ticks(y.low, y.high, 4);
    return values.flatMap((value) => [
      svg("line", { class: value === 0 ? "axis" : "grid", x1: LEFT, x2: width - RIGHT, y1: y.at(value), y2: y.at(value) }),
      svg("text", { class: "tick", x: LEFT - 6, y: y.at(value) + 4, "text-anchor": "end" }, decimal(value)),
    ]);
  }

  /** Words where each has room, else numbers. */
  private axis(width: number, height: number): SVGElement[] {
    const { words, axis } = this.options;
    const step = (width - LEFT - RIGHT) / Math.max(1, this.count - 1);
    const every = Math.max(1, Math.ceil((words ? longest(words) * 7.5 + 6 : 60) / Math.max(step, 0.01)));
    const wordy = words !== undefined && (every === 1 || step * every >= MIN_WORD_WIDTH) && every <= 12;
    const places = wordy ? Array.from({ length: Math.ceil(this.count / every) }, (_, index) => index * every) : ticks(0, Math.max(1, this.count - 1), width / 90).filter(Number.isInteger);
    const labels = places.map((place) =>
      svg("text", { class: "tick", x: this.x.at(place), y: height - BOTTOM + 15, "text-anchor": "middle" }, wordy ? (words[place] ?? "") : String(place + (words ? 1 : 0))),
    );
    return [...labels, svg("text", { class: "label", x: width - RIGHT, y: height - 3, "text-anchor": "end" }, axis)];
  }
}

function longest(words: readonly string[]): number {
  return Math.min(14, Math.max(1, ...words.map((word) => word.length)));
}
