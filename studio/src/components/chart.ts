/** A line chart (uPlot) as a figure: its title, a sentence that says what it shows, the drawing, and the same numbers as a table. */

import uPlot from "uplot";
import { h, replace } from "../dom";
import { decimal, integer } from "../i18n";
import { t } from "../messages/shell";
import { colour, onThemeChange } from "../theme";
import { plainTable } from "./table";

export interface Line {
  label: string;
  /** A variable of the style sheet: "--train". */
  colour: string;
  points: readonly (readonly [x: number, y: number | null])[];
  dashed?: boolean;
  /** Points marked one by one, for those that are few. */
  dots?: boolean;
}

export interface ChartContent {
  title: string;
  sentence: string;
  lines: readonly Line[];
  /** What the values across are: "step". */
  across: string;
  logarithmic?: boolean;
}

const MAX_TABLE_ROWS = 100;
const PHONE = 640;

/** A chart whose content can be exchanged, as while a training runs. */
export class Chart {
  readonly element = h("figure", { class: "card chart" });
  private readonly heading = h("h3");
  private readonly sentence = h("p", { class: "note" });
  private readonly drawing = h("div", { class: "drawing", role: "img" });
  private readonly numbers = h("details", {}, h("summary", {}, t("show_table")));
  private plot: uPlot | null = null;

  constructor(
    private content: ChartContent,
    signal: AbortSignal,
  ) {
    this.element.append(h("figcaption", {}, this.heading, this.sentence), this.drawing, this.numbers);
    this.numbers.addEventListener("toggle", () => this.fillTable());
    const observer = new ResizeObserver(() => this.resize());
    observer.observe(this.drawing);
    onThemeChange(() => this.draw(), signal);
    signal.addEventListener("abort", () => {
      observer.disconnect();
      this.plot?.destroy();
    });
    this.describe();
  }

  /** Show other lines; new points of the same lines keep the drawing. */
  show(content: ChartContent): void {
    const old = this.content;
    const same =
      old.logarithmic === content.logarithmic &&
      old.lines.length === content.lines.length &&
      old.lines.every((line, place) => line.label === content.lines[place]?.label && line.colour === content.lines[place]?.colour);
    this.content = content;
    this.describe();
    if (same && this.plot !== null) this.plot.setData(aligned(content.lines));
    else this.draw();
  }

  private describe(): void {
    this.heading.textContent = this.content.title;
    this.sentence.textContent = this.content.sentence;
    this.drawing.setAttribute("aria-label", `${this.content.title}. ${this.content.sentence}`);
    this.fillTable();
  }

  private resize(): void {
    const width = this.drawing.clientWidth;
    if (width === 0) return;
    if (this.plot === null) this.draw();
    else if (this.plot.width !== width) this.plot.setSize({ width, height: height(width) });
  }

  private draw(): void {
    const width = this.drawing.clientWidth;
    if (width === 0) return;
    this.plot?.destroy();
    this.plot = new uPlot(plotOptions(this.content, width), aligned(this.content.lines), this.drawing);
  }

  private fillTable(): void {
    const summary = this.numbers.firstElementChild as HTMLElement;
    if (!this.numbers.open) return;
    const [across, ...columns] = aligned(this.content.lines) as [number[], ...(number | null)[][]];
    const every = Math.max(1, Math.ceil(across.length / MAX_TABLE_ROWS));
    const rows = across
      .map((x, place) => [integer(x), ...columns.map((column) => decimal(column[place]))])
      .filter((_, place) => place % every === 0 || place === across.length - 1);
    replace(this.numbers, summary, plainTable(this.content.title, [this.content.across, ...this.content.lines.map((line) => line.label)], rows));
  }
}

function height(width: number): number {
  return width < PHONE ? 240 : Math.min(420, Math.round(width * 0.4));
}

function aligned(lines: readonly Line[]): uPlot.AlignedData {
  if (lines.length === 0) return [[]];
  return uPlot.join(
    lines.map((line) => [line.points.map(([x]) => x), line.points.map(([, y]) => y)]),
    lines.map(() => [1, 1]),
  );
}

function plotOptions(content: ChartContent, width: number): uPlot.Options {
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") }, font };
  return {
    width,
    height: height(width),
    cursor: { drag: { x: true, y: false } },
    scales: { x: { time: false }, y: content.logarithmic ? { distr: 3 } : {} },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? integer(tick) : "")) },
      { ...axis, size: 58, values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : decimal(tick))) },
    ],
    series: [
      { label: content.across, value: (_, value) => (value === null ? "–" : integer(value)) },
      ...content.lines.map((line) => ({
        label: line.label,
        stroke: colour(line.colour),
        width: 2,
        spanGaps: true,
        ...(line.dashed ? { dash: [6, 4] } : {}),
        points: { show: line.dots === true, size: 7, fill: colour("--card"), stroke: colour(line.colour), width: 2 },
        value: (_: uPlot, value: number | null) => decimal(value),
      })),
    ],
  };
}
