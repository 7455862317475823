/** Paints what is seen of a matrix: blue below the middle, orange above it, as the reports do. */

import { colour } from "../theme";
import type { View } from "./heatmap-view";
import type { Matrix } from "./matrix";

type Colour = readonly [number, number, number];

export interface Palette {
  low: Colour;
  middle: Colour;
  high: Colour;
}

const LEVELS = 255;

/** The colours of the page as it is now, light or dark. */
export function readPalette(): Palette {
  return { low: parseColour(colour("--train")), middle: parseColour(colour("--card")), high: parseColour(colour("--held")) };
}

export function parseColour(text: string): Colour {
  const found = /^rgba?\((\d+),? (\d+),? (\d+)/.exec(text);
  if (!found) throw new Error(`expected a colour as rgb(r, g, b), got "${text}"`);
  return [Number(found[1]), Number(found[2]), Number(found[3])];
}

/** 511 colours as they lie in the memory of a picture: from -1 over 0 to 1. */
export function colourTable(palette: Palette): Uint32Array {
  const table = new Uint32Array(2 * LEVELS + 1);
  const bytes = new Uint8ClampedArray(table.buffer);
  for (let level = -LEVELS; level <= LEVELS; level++) {
    const end = level < 0 ? palette.low : palette.high;
    const share = Math.abs(level) / LEVELS;
    for (let channel = 0; channel < 3; channel++) {
      const middle = palette.middle[channel] as number;
      bytes[4 * (level + LEVELS) + channel] = middle + share * ((end[channel] as number) - middle);
    }
    bytes[4 * (level + LEVELS) + 3] = 255;
  }
  return table;
}

export interface Paint {
  table: Uint32Array;
  /** The value that has the middle colour: 0, or 0.5 of a gate from 0 to 1. */
  middle: number;
  scale: number;
  order: readonly number[];
}

/** Where each column (or row) of a picture begins and ends among the steps (or units); several make one column where there is little room. */
function edges(from: number, to: number, most: number): Int32Array {
  const first = Math.floor(from);
  const count = Math.ceil(to) - first;
  const columns = Math.max(1, Math.min(most, count));
  return Int32Array.from({ length: columns + 1 }, (_, place) => first + Math.round((place * count) / columns));
}

/** Make a picture of at most width × height, a pixel for one value, or for the value farthest from the middle of several. */
export function paintMatrix(matrix: Matrix, view: View, width: number, height: number, paint: Paint): ImageData {
  const columns = edges(view.steps.from, Math.min(view.steps.to, matrix.steps), width);
  const rows = edges(view.units.from, Math.min(view.units.to, matrix.units), height);
  const wide = columns.length - 1;
  const high = rows.length - 1;
  const picture = new ImageData(wide, high);
  const pixels = new Uint32Array(picture.data.buffer);
  const peaks = new Float32Array(high);
  for (let column = 0; column < wide; column++) {
    peaks.fill(0); // how far from the middle
    for (let step = columns[column] as number; step < (columns[column + 1] as number); step++)
      for (let row = 0; row < high; row++)
        for (let unit = rows[row] as number; unit < (rows[row + 1] as number); unit++) {
          const value = (matrix.values[step * matrix.units + (paint.order[unit] as number)] as number) - paint.middle;
          if (Math.abs(value) > Math.abs(peaks[row] as number)) peaks[row] = value;
        }
    for (let row = 0; row < high; row++) {
      const level = Math.round(((peaks[row] as number) / paint.scale) * LEVELS);
      pixels[row * wide + column] = paint.table[Math.min(LEVELS, Math.max(-LEVELS, level)) + LEVELS] as number;
    }
  }
  return picture;
}
