/** Counts to inverse grey. */

export interface Window {
  /** Counts shown black, in per cent of the view's maximum: 5-100. */
  upper: number;
  root: boolean;
  /** Geometric mean of both views, the posterior mirrored. */
  mean: boolean;
  /** Neighbours averaged (binomial, 3 x 3), as a gamma camera's own screen does; noise hides less. */
  smooth: boolean;
}

export const LOWEST = 5;
export const HIGHEST = 100;

export const clampUpper = (upper: number): number => Math.max(LOWEST, Math.min(HIGHEST, Math.round(upper)));

/** One step of the window keys: about a tenth of the level, at least 1 %. */
export const stepUpper = (upper: number, direction: 1 | -1): number =>
  clampUpper(upper + direction * Math.max(1, Math.round(upper / 10)));

/** Upper level that shows the ``share`` quantile of the counts above noise black, so that hot organs do not hide bones. */
export function startUpper(counts: Float32Array, maximum: number, share = 0.985): number {
  if (maximum <= 0) return HIGHEST;
  const bins = new Uint32Array(1024);
  let total = 0;
  for (const value of counts) {
    if (value < 0.01 * maximum) continue;
    const bin = Math.min(1023, Math.floor((value / maximum) * 1023));
    bins[bin] = (bins[bin] ?? 0) + 1;
    total++;
  }
  let seen = 0;
  for (let bin = 0; bin < 1024; bin++) {
    seen += bins[bin] ?? 0;
    if (seen >= share * total) return clampUpper((bin / 1023) * 100);
  }
  return HIGHEST;
}

/** Square root of the product of a view and the mirrored other one, pixel by pixel. */
export function geometricMean(one: Float32Array, other: Float32Array, columns: number): Float32Array {
  const mean = new Float32Array(one.length);
  for (let at = 0; at < one.length; at++) {
    const column = at % columns;
    const mirrored = at - column + (columns - 1 - column);
    mean[at] = Math.sqrt(Math.max(0, one[at] ?? 0) * Math.max(0, other[mirrored] ?? 0));
  }
  return mean;
}

/** RGBA of counts: 0 is white, the upper level and above black. */
export function paint(counts: Float32Array, maximum: number, window: Window): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(counts.length * 4);
  const words = new Uint32Array(pixels.buffer);
  const top = (maximum * window.upper) / 100 || 1;
  const table = new Uint32Array(1025);
  for (let step = 0; step <= 1024; step++) {
    const share = window.root ? Math.sqrt(step / 1024) : step / 1024;
    const grey = 255 - Math.round(share * 255);
    table[step] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
  const scale = 1024 / top;
  for (let at = 0; at < counts.length; at++) {
    const step = (counts[at] ?? 0) * scale;
    words[at] = table[step >= 1024 ? 1024 : step <= 0 ? 0 : step | 0] ?? 0;
  }
  return pixels;
}

/** Binomial 3 x 3 average; the border keeps its counts. */
export function smoothed(counts: Float32Array, columns: number): Float32Array {
  const across = new Float32Array(counts);
  for (let at = 1; at < counts.length - 1; at++) {
    const column = at % columns;
    if (column === 0 || column === columns - 1) continue;
    across[at] = ((counts[at - 1] ?? 0) + 2 * (counts[at] ?? 0) + (counts[at + 1] ?? 0)) / 4;
  }
  const both = new Float32Array(across);
  for (let at = columns; at < counts.length - columns; at++) {
    both[at] = ((across[at - columns] ?? 0) + 2 * (across[at] ?? 0) + (across[at + columns] ?? 0)) / 4;
  }
  return both;
}
