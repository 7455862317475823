/** Which steps and units of a heat map are seen; all of it is arithmetic, without a page. */

export interface Extent {
  from: number;
  to: number;
}

export interface View {
  steps: Extent;
  units: Extent;
}

const FEWEST_STEPS = 8;
const FEWEST_UNITS = 4;

export function wholeView(steps: number, units: number): View {
  return { steps: { from: 0, to: steps }, units: { from: 0, to: units } };
}

/** Zoom by a factor (below 1: closer) around a place from 0 to 1 of what is seen. */
export function zoom(seen: Extent, factor: number, around: number, size: number, fewest: number): Extent {
  const length = seen.to - seen.from;
  const wanted = Math.min(size, Math.max(Math.min(fewest, size), length * factor));
  return shift({ from: seen.from + (length - wanted) * around, to: seen.from + (length - wanted) * around + wanted }, 0, size);
}

/** Move what is seen, and stop at the ends. */
export function shift(seen: Extent, by: number, size: number): Extent {
  const length = Math.min(size, seen.to - seen.from);
  const from = Math.min(Math.max(0, seen.from + by), size - length);
  return { from, to: from + length };
}

/** Move what is seen as little as shows one place of it. */
export function reveal(seen: Extent, place: number, size: number): Extent {
  if (place < seen.from) return shift(seen, place - seen.from, size);
  if (place + 1 > seen.to) return shift(seen, place + 1 - seen.to, size);
  return seen;
}

export function zoomView(view: View, factor: number, x: number, y: number, steps: number, units: number, both: boolean): View {
  return {
    steps: zoom(view.steps, factor, x, steps, FEWEST_STEPS),
    units: both ? zoom(view.units, factor, y, units, FEWEST_UNITS) : view.units,
  };
}

export function isWhole(view: View, steps: number, units: number): boolean {
  return view.steps.to - view.steps.from >= steps && view.units.to - view.units.from >= units;
}

/** The place of a pointer (0 to 1) as an index. */
export function indexAt(seen: Extent, share: number, size: number): number {
  return Math.min(size - 1, Math.max(0, Math.floor(seen.from + share * (seen.to - seen.from))));
}

/** Write what is seen so that a link keeps it, and read it back; what is no extent is the whole. */
export function writeExtent(seen: Extent): string {
  return `${Math.round(seen.from * 100) / 100}-${Math.round(seen.to * 100) / 100}`;
}

export function readExtent(text: string | undefined, size: number): Extent {
  const found = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(text ?? "");
  const from = Number(found?.[1]);
  const to = Number(found?.[2]);
  return found && from < to && to <= size ? { from, to } : { from: 0, to: size };
}
