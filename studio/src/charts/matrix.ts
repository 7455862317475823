/** Values of units at steps, a row for each step, and what they are like. */

export interface Matrix {
  steps: number;
  units: number;
  values: Float32Array;
}

export interface Place {
  step: number;
  unit: number;
}

export function valueAt(matrix: Matrix, step: number, unit: number): number {
  return matrix.values[step * matrix.units + unit] ?? 0;
}

/** The values of one unit at all steps. */
export function unitValues(matrix: Matrix, unit: number): Float32Array {
  const found = new Float32Array(matrix.steps);
  for (let step = 0; step < matrix.steps; step++) found[step] = valueAt(matrix, step, unit);
  return found;
}

export function extremes(matrix: Matrix): { lowest: Place; highest: Place } {
  let low = 0;
  let high = 0;
  const { values, units } = matrix;
  for (let place = 1; place < values.length; place++) {
    const value = values[place] as number;
    if (value < (values[low] as number)) low = place;
    if (value > (values[high] as number)) high = place;
  }
  const at = (place: number): Place => ({ step: Math.floor(place / units), unit: place % units });
  return { lowest: at(low), highest: at(high) };
}

/** What the strongest colour stands for: so far from the middle, or as far as the farthest value where that is more. */
export function scaleOf(matrix: Matrix, middle: number): number {
  let scale = 1 - middle;
  for (const value of matrix.values) if (Math.abs(value - middle) > scale) scale = Math.abs(value - middle);
  return scale;
}

/** The mean of each unit over steps `from` up to but not including `to`. */
export function unitMeans(matrix: Matrix, from = 0, to = matrix.steps): Float64Array {
  const means = new Float64Array(matrix.units);
  for (let step = from; step < to; step++)
    for (let unit = 0; unit < matrix.units; unit++) means[unit] = (means[unit] as number) + valueAt(matrix, step, unit) / (to - from);
  return means;
}

/** Units in the order of their means, the highest first. */
export function unitsByMean(matrix: Matrix, from?: number, to?: number): number[] {
  const means = unitMeans(matrix, from, to);
  return Array.from(means.keys()).sort((a, b) => (means[b] as number) - (means[a] as number));
}
