/** Colours of points: one for each label, or along a ramp for numbers. */

import type { Rgb } from "../map/renderer";

/** Ten that are told apart on black and on white, with the common kinds of colour blindness in mind; then they repeat. */
export const PALETTE: readonly Rgb[] = [
  [78, 138, 255], [255, 176, 46], [240, 84, 84], [70, 200, 190], [98, 190, 80],
  [255, 128, 190], [164, 112, 240], [150, 205, 255], [190, 130, 85], [170, 176, 190],
]; // prettier-ignore

export const css = ([r, g, b]: Rgb): string => `rgb(${r} ${g} ${b})`;

/** From low to high: deep blue over rose to pale yellow. */
const RAMP: readonly Rgb[] = [[60, 70, 180], [130, 75, 190], [215, 85, 140], [250, 145, 90], [253, 231, 130]];

export function ramp(share: number): Rgb {
  const at = Math.min(1, Math.max(0, share)) * (RAMP.length - 1);
  const i = Math.min(RAMP.length - 2, Math.floor(at));
  const [a, b] = [RAMP[i]!, RAMP[i + 1]!];
  return [0, 1, 2].map((k) => Math.round(a[k]! + (at - i) * (b[k]! - a[k]!))) as unknown as Rgb;
}

export const rampCss = `linear-gradient(90deg, ${RAMP.map(css).join()})`;

/** The range of values that nearly all lie in. */
export function rangeOf(values: Float32Array): [number, number] {
  const sorted = values.filter(Number.isFinite).sort();
  if (!sorted.length) return [0, 1];
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))]!;
  return [at(0.01), at(0.99)];
}
