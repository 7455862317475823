/** A history whose points can be moved, by pointer or arrow keys, with its forecast and the intervals around it. */

import { h, replace, svg } from "../dom";
import { decimal } from "../i18n";
import { t } from "../messages/charts";
import { type Scale, linear, padded, range, ticks } from "./axes";
import { percent } from "./probabilities";
import { chartTable } from "./table";

export interface Forecast {
  time: readonly (string | number)[];
  mean: readonly number[];
  /** level → values, "0.1" the lower end of the interval whose upper end is "0.9". */
  quantiles: Readonly<Record<string, readonly number[]>>;
}

export interface ForecastOptions {
  signal: AbortSignal;
  title: string;
  history: readonly (number | null)[];
  times: readonly (string | number)[];
  /** Called with the whole history whenever a point has moved. */
  onChange(history: (number | null)[]): void;
}

interface Interval {
  level: number;
  low: readonly number[];
  high: readonly number[];
}

const [LEFT, RIGHT, TOP, BOTTOM] = [54, 12, 10, 26];
const MOST_SHOWN = 150;
const GRAB = 16;

export function intervals(quantiles: Forecast["quantiles"]): Interval[] {
  const levels = Object.keys(quantiles).filter((level) => Number(level) < 0.5 - 1e-9);
  return levels
    .map((level) => {
      const upper = Object.keys(quantiles).find((other) => Math.abs(Number(other) + Number(level) - 1) < 1e-9);
      return { level: 1 - 2 * Number(level), low: quantiles[level] ?? [], high: upper ? (quantiles[upper] ?? []) : [] };
    })
    .filter(({ high }) => high.length > 0)
    .sort((a, b) => b.level - a.level);
}

export class ForecastChart {
  readonly element: HTMLElement;
  private readonly surface: HTMLElement;
  private readonly sentence = h("p", { class: "note" });
  private readonly reading = h("p", { class: "chart-reading", role: "status" });
  private readonly tables = h("div");
  private readonly history: (number | null)[];
  private readonly first: number;
  private forecast: Forecast | null = null;
  private before: Forecast | null = null;
  private chosen: number | null = null;
  private dragging = false;
  private x: Scale = linear(0, 1, 0, 1);
  private y: Scale = linear(0, 1, 0, 1);

  constructor(private readonly options: ForecastOptions) {
    this.history = [...options.history];
    this.first = Math.max(0, this.history.length - MOST_SHOWN);
    this.surface = h("div", { class: "chart-surface draggable", role: "application", tabindex: "0", "aria-label": `${options.title}. ${t("dragPoint")}` });
    this.surface.style.height = "320px";
    const caption = h("figcaption", {}, h("h3", {}, options.title), this.sentence);
    this.element = h("figure", { class: "chart-figure" }, caption, this.surface, this.reading, h("p", { class: "note" }, t("dragPoint")), this.tables);
    this.listen();
  }

  /** Show another forecast; the first one stays as a faint line, so that a change is seen. */
  show(forecast: Forecast): void {
    this.before ??= forecast;
    this.forecast = forecast;
    const widest = intervals(forecast.quantiles)[0];
    const end = forecast.mean.length - 1;
    const reach = widest ? `, ${percentRound(widest.level)}: ${decimal(widest.low[end])} – ${decimal(widest.high[end])}` : "";
    this.sentence.textContent = `${forecast.time[0]} … ${forecast.time[end]}: ${decimal(forecast.mean[0])} … ${decimal(forecast.mean[end])}${reach}`;
    const levels = Object.keys(forecast.quantiles);
    const rows = forecast.time.map((time, place) => [String(time), decimal(forecast.mean[place]), ...levels.map((level) => decimal(forecast.quantiles[level]?.[place]))]);
    replace(this.tables, chartTable(this.options.title, [t("time"), t("mean"), ...levels], rows));
    this.draw();
  }

  private timeOf(place: number): string {
    const { times } = this.options;
    return String(times[place] ?? place + 1);
  }

  private listen(): void {
    const sizes = new ResizeObserver(() => this.draw());
    sizes.observe(this.surface);
    this.options.signal.addEventListener("abort", () => sizes.disconnect());
    this.surface.addEventListener("pointerdown", (event) => {
      const place = this.nearest(event);
      if (place === null) return;
      event.preventDefault();
      this.surface.focus();
      this.surface.setPointerCapture(event.pointerId);
      this.dragging = true;
      this.choose(place);
    });
    this.surface.addEventListener("pointermove", (event) => this.dragging && this.move(this.y.from(event.clientY - this.surface.getBoundingClientRect().top)));
    for (const end of ["pointerup", "pointercancel"]) this.surface.addEventListener(end, () => (this.dragging = false));
    this.surface.addEventListener("keydown", (event) => this.onKey(event));
  }

  private nearest(event: PointerEvent): number | null {
    const box = this.surface.getBoundingClientRect();
    const [atX, atY] = [event.clientX - box.left, event.clientY - box.top];
    let found: number | null = null;
    let least = GRAB;
    for (let place = this.first; place < this.history.length; place++) {
      const value = this.history[place];
      if (value === null || value === undefined) continue;
      const distance = Math.hypot(this.x.at(place) - atX, (this.y.at(value) - atY) / 2);
      if (distance < least) [found, least] = [place, distance];
    }
    return found;
  }

  private onKey(event: KeyboardEvent): void {
    const last = this.history.length - 1;
    const from = this.chosen ?? last + 1;
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: this.first, End: last }[event.key];
    const up = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    if ((to === undefined && up === undefined) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (to !== undefined) this.choose(Math.min(last, Math.max(this.first, to)));
    else if (up !== undefined && this.chosen !== null) this.move((this.history[this.chosen] ?? 0) + (up * (this.y.high - this.y.low)) / 100);
  }

  private choose(place: number): void {
    this.chosen = place;
    this.draw();
  }

  private move(value: number): void {
    if (this.chosen === null) return;
    this.history[this.chosen] = Number(value.toPrecision(6));
    this.draw();
    this.options.onChange([...this.history]);
  }

  private scales(width: number, height: number): void {
    const steps = this.forecast?.mean.length ?? 0;
    this.x = linear(this.first, Math.max(this.first + 1, this.history.length + steps - 1), LEFT, width - RIGHT);
    if (this.dragging) return; // the ground stays still under a point that is dragged
    const ahead = this.forecast ? [...this.forecast.mean, ...Object.values(this.forecast.quantiles).flat()] : [];
    this.y = linear(...padded(range([...this.history.slice(this.first), ...ahead])), height - BOTTOM, TOP);
  }

  private draw(): void {
    const [width, height] = [this.surface.clientWidth, this.surface.clientHeight];
    if (!width || !height) return;
    this.scales(width, height);
    const now = this.history.length;
    const history = this.history.slice(this.first).map((value, place) => [this.first + place, value] as const);
    const parts = [
      ...ticks(this.y.low, this.y.high, 5).flatMap((value) => [
        svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: this.y.at(value), y2: this.y.at(value) }),
        svg("text", { class: "tick", x: LEFT - 6, y: this.y.at(value) + 4, "text-anchor": "end" }, decimal(value)),
      ]),
      ...this.times(width, height),
      ...this.bands(now),
      this.before && this.before !== this.forecast && this.line("curve early", this.before.mean.map((value, place) => [now + place, value])),
      this.line("curve known", history),
      this.forecast && this.line("curve held", this.forecast.mean.map((value, place) => [now + place, value])),
      ...this.dots(),
    ];
    replace(this.surface, svg("svg", { width, height, "aria-hidden": "true" }, parts));
    if (this.chosen !== null) this.reading.textContent = t("pointReading", { time: this.timeOf(this.chosen), value: decimal(this.history[this.chosen]) });
  }

  private times(width: number, height: number): SVGElement[] {
    const last = this.history.length - 1;
    const ahead = this.forecast?.time ?? [];
    const y = height - 6;
    const shown: [number, string, string][] = [[LEFT, "start", this.timeOf(this.first)]];
    if (this.x.at(last) - LEFT > 150) shown.push([this.x.at(last), "end", this.timeOf(last)]);
    if (ahead.length && width - RIGHT - this.x.at(last) > 90) shown.push([width - RIGHT, "end", String(ahead[ahead.length - 1])]);
    return shown.map(([x, anchor, text]) => svg("text", { class: "tick", x, y, "text-anchor": anchor }, text));
  }

  private bands(now: number): SVGElement[] {
    return intervals(this.forecast?.quantiles ?? {}).map(({ low, high }) => {
      const up = high.map((value, place) => `${this.x.at(now + place).toFixed(1)} ${this.y.at(value).toFixed(1)}`);
      const down = low.map((value, place) => `${this.x.at(now + place).toFixed(1)} ${this.y.at(value).toFixed(1)}`);
      return svg("path", { class: "band", d: `M${[...up, ...down.reverse()].join("L")}Z` });
    });
  }

  private line(kind: string, points: readonly (readonly [number, number | null])[]): SVGElement {
    let path = "";
    let open = false;
    for (const [place, value] of points) {
      if (value !== null) path += `${open ? "L" : "M"}${this.x.at(place).toFixed(1)} ${this.y.at(value).toFixed(1)}`;
      open = value !== null;
    }
    return svg("path", { class: kind, d: path });
  }

  private dots(): SVGElement[] {
    const shown: SVGElement[] = [];
    for (let place = this.first; place < this.history.length; place++) {
      const value = this.history[place];
      if (value === null || value === undefined) continue;
      const chosen = place === this.chosen;
      shown.push(svg("circle", { class: chosen ? "handle chosen" : "handle", cx: this.x.at(place), cy: this.y.at(value), r: chosen ? 6 : 3 }));
    }
    return shown;
  }
}

function percentRound(level: number): string {
  return percent(level).replace(".0 %", " %");
}
