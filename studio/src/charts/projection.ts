/** States on a plane, coloured by where in the sequence they stand, read under the pointer or with arrow keys. */

import { h } from "../dom";
import { t } from "../messages/charts";
import { colour, onThemeChange } from "../theme";
import { type Scale, linear, padded, range } from "./axes";
import { chartTable } from "./table";
import { decimal } from "../i18n";

export interface ProjectedPoint {
  x: number;
  y: number;
  lines: readonly string[];
  position: number;
  input: number;
  step: number;
}

export interface ProjectionOptions {
  signal: AbortSignal;
  title: string;
  note: string;
  points: readonly ProjectedPoint[];
  onPick(point: ProjectedPoint): void;
}

const [ROOM, REACH, HEIGHT] = [14, 18, 360];

export class ProjectionChart {
  readonly element: HTMLElement;
  private readonly canvas = h("canvas", { "aria-hidden": "true" });
  private readonly surface: HTMLElement;
  private readonly reading = h("p", { class: "chart-reading", role: "status" });
  private chosen: number | null = null;
  private x: Scale = linear(0, 1, 0, 1);
  private y: Scale = linear(0, 1, 0, 1);

  constructor(private readonly options: ProjectionOptions) {
    const { title, note, points } = options;
    this.surface = h("div", { class: "chart-surface framed", role: "application", tabindex: "0", "aria-label": `${title}. ${t("arrowKeys")}` }, this.canvas);
    this.surface.style.height = `${HEIGHT}px`;
    const rows = points.map((point) => [point.lines.join(" · "), decimal(point.x), decimal(point.y)]);
    const legend = h("p", { class: "legend scale" }, h("span", {}, `0 % – 100 %: ${t("position")}`));
    this.element = h(
      "figure",
      { class: "chart-figure" },
      h("figcaption", {}, h("h3", {}, title), h("p", { class: "note" }, note), legend),
      this.surface,
      this.reading,
      chartTable(title, [t("points"), "x", "y"], rows),
    );
    this.listen();
  }

  private listen(): void {
    const sizes = new ResizeObserver(() => this.draw());
    sizes.observe(this.surface);
    this.options.signal.addEventListener("abort", () => sizes.disconnect());
    onThemeChange(() => this.draw(), this.options.signal);
    this.surface.addEventListener("pointermove", (event) => this.choose(this.nearest(event) ?? this.chosen));
    this.surface.addEventListener("click", (event) => {
      const point = this.options.points[this.nearest(event) ?? -1];
      if (point) this.options.onPick(point);
    });
    this.surface.addEventListener("keydown", (event) => {
      const last = this.options.points.length - 1;
      const from = this.chosen ?? -1;
      const to = { ArrowLeft: from - 1, ArrowUp: from - 1, ArrowRight: from + 1, ArrowDown: from + 1, Home: 0, End: last }[event.key];
      if (to === undefined && event.key !== "Enter") return;
      event.preventDefault();
      if (to !== undefined) this.choose(Math.min(last, Math.max(0, to)));
      else if (this.chosen !== null) this.options.onPick(this.options.points[this.chosen] as ProjectedPoint);
    });
  }

  private nearest(event: MouseEvent): number | null {
    const box = this.surface.getBoundingClientRect();
    const [atX, atY] = [event.clientX - box.left, event.clientY - box.top];
    let found: number | null = null;
    let least = REACH;
    for (const [place, point] of this.options.points.entries()) {
      const distance = Math.hypot(this.x.at(point.x) - atX, this.y.at(point.y) - atY);
      if (distance < least) [found, least] = [place, distance];
    }
    return found;
  }

  private choose(place: number | null): void {
    if (place === this.chosen || place === null) return;
    this.chosen = place;
    this.reading.textContent = this.options.points[place]?.lines.join(" · ") ?? "";
    this.draw();
  }

  private draw(): void {
    const { points } = this.options;
    const [width, height] = [this.surface.clientWidth, this.surface.clientHeight];
    const context = this.canvas.getContext("2d");
    if (!width || !height || context === null) return;
    Object.assign(this.canvas, { width: width * devicePixelRatio, height: height * devicePixelRatio });
    context.scale(devicePixelRatio, devicePixelRatio);
    this.x = linear(...padded(range(points.map(({ x }) => x))), ROOM, width - ROOM);
    this.y = linear(...padded(range(points.map(({ y }) => y))), height - ROOM, ROOM);
    const [early, late, ink] = [colour("--train"), colour("--held"), colour("--ink")];
    for (const layer of [early, late]) {
      context.fillStyle = layer;
      for (const point of points) {
        context.globalAlpha = 0.75 * (layer === early ? 1 - point.position : point.position);
        this.dot(context, point, 4);
        context.fill();
      }
    }
    const chosen = points[this.chosen ?? -1];
    if (!chosen) return;
    context.globalAlpha = 1;
    context.strokeStyle = ink;
    context.lineWidth = 2;
    this.dot(context, chosen, 7);
    context.stroke();
  }

  private dot(context: CanvasRenderingContext2D, point: ProjectedPoint, size: number): void {
    context.beginPath();
    context.arc(this.x.at(point.x), this.y.at(point.y), size, 0, 2 * Math.PI);
  }
}
