/** Scales and ticks of the charts that are drawn as SVG. */

export interface Scale {
  /** From a value to a place in pixels. */
  at(value: number): number;
  /** From a place in pixels to a value. */
  from(place: number): number;
  readonly low: number;
  readonly high: number;
}

export function linear(low: number, high: number, start: number, end: number): Scale {
  const width = high - low || 1;
  return {
    low,
    high,
    at: (value) => start + ((value - low) / width) * (end - start),
    from: (place) => low + ((place - start) / (end - start)) * width,
  };
}

/** Powers of ten are equally far apart; what is not above 0 stands at the lowest value. */
export function logarithmic(low: number, high: number, start: number, end: number): Scale {
  const inner = linear(Math.log10(low), Math.log10(high), start, end);
  return { low, high, at: (value) => inner.at(Math.log10(Math.max(low, value))), from: (place) => 10 ** inner.from(place) };
}

/** Round values that divide a range into about so many parts: ticks(0, 9.3, 4) is 0, 2.5, 5, 7.5. */
export function ticks(low: number, high: number, about: number): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((each) => each * power >= rough) ?? 10) * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, place) => Number(((first + place) * step).toPrecision(12)));
}

export function powersOfTen(low: number, high: number): number[] {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const step = Math.max(1, Math.ceil((last - first) / 5));
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, place) => 10 ** (first + place * step));
}

/** The lowest and highest of what is a number; 0 to 1 of nothing. */
export function range(values: Iterable<number | null | undefined>): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value === null || value === undefined || !Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 1];
}

/** A little room above and below, so that no curve runs along an edge. */
export function padded([low, high]: [number, number], share = 0.06): [number, number] {
  const room = (high - low || Math.abs(high) || 1) * share;
  return [low - room, high + room];
}
