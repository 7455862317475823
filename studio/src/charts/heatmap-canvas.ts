/** The two canvases of a heat map: the values, painted once per view, and above them what moves. */

import { h } from "../dom";
import { colour } from "../theme";
import { colourTable, paintMatrix, readPalette, type Paint } from "./heatmap-paint";
import type { Extent, View } from "./heatmap-view";
import { type Matrix, scaleOf } from "./matrix";

/** What is drawn above the values: a cursor on a step and a row, a chosen stretch, and others that are alike. */
export interface Marks {
  cursor: { step: number; row: number } | null;
  selection: Extent | null;
  others: readonly Extent[];
}

export class HeatmapCanvas {
  readonly map = h("canvas", { class: "heatmap-values", "aria-hidden": "true" });
  readonly above = h("canvas", { class: "heatmap-marks", "aria-hidden": "true" });
  private paint: Paint | null = null;
  private ink = "";

  constructor(private readonly surface: () => HTMLElement) {}

  /** Read colours and the largest value again, as after a change of the theme or of the values. */
  forget(): void {
    this.paint = null;
  }

  draw(matrix: Matrix, order: readonly number[], middle: number, view: View): void {
    const context = this.fit(this.map);
    const { width, height } = this.map;
    if (this.paint === null) {
      this.paint = { table: colourTable(readPalette()), middle, scale: scaleOf(matrix, middle), order };
      this.ink = colour("--ink");
    }
    const { steps, units } = view;
    const picture = paintMatrix(matrix, view, width, height, this.paint);
    const buffer = new OffscreenCanvas(picture.width, picture.height);
    buffer.getContext("2d")?.putImageData(picture, 0, 0);
    const [wide, high] = [width / (steps.to - steps.from), height / (units.to - units.from)];
    const [firstStep, firstRow] = [Math.floor(steps.from), Math.floor(units.from)];
    context.imageSmoothingEnabled = false;
    context.clearRect(0, 0, width, height);
    context.drawImage(
      buffer,
      wide * (firstStep - steps.from),
      high * (firstRow - units.from),
      wide * (Math.ceil(steps.to) - firstStep),
      high * (Math.ceil(units.to) - firstRow),
    );
  }

  drawMarks(view: View, { cursor, selection, others }: Marks): void {
    const context = this.fit(this.above);
    const { width, height } = this.above;
    const { steps, units } = view;
    const atStep = (step: number): number => (width * (step - steps.from)) / (steps.to - steps.from);
    const atRow = (row: number): number => (height * (row - units.from)) / (units.to - units.from);
    const line = Math.max(1, Math.round(devicePixelRatio));
    context.clearRect(0, 0, width, height);
    context.strokeStyle = context.fillStyle = this.ink;
    context.lineWidth = 2 * line;
    for (const { from, to } of others) context.fillRect(atStep(from), height - 5 * line, Math.max(2 * line, atStep(to) - atStep(from)), 5 * line);
    if (selection) context.strokeRect(atStep(selection.from), line, Math.max(line, atStep(selection.to) - atStep(selection.from)), height - 2 * line);
    if (cursor === null) return;
    context.lineWidth = line;
    context.globalAlpha = 0.55;
    context.strokeRect(atStep(cursor.step), 0, Math.max(line, atStep(cursor.step + 1) - atStep(cursor.step)), height);
    context.strokeRect(0, atRow(cursor.row), width, Math.max(line, atRow(cursor.row + 1) - atRow(cursor.row)));
    context.globalAlpha = 1;
  }

  private fit(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
    const surface = this.surface();
    const width = Math.max(1, Math.round(surface.clientWidth * devicePixelRatio));
    const height = Math.max(1, Math.round(surface.clientHeight * devicePixelRatio));
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    if (!context) throw new Error("this browser draws no canvas");
    return context;
  }
}
