/** Colours of points: one for each label, or along a ramp for numbers. */

import type { Rgb } from "../map/renderer";

/** Ten that are told apart on black and on white, with the common kinds of colour blindness in mind; then they repeat. */
export const PALETTE: readonly Rgb[] = [
  [78, 138, 255], [255, 176, 46], [240, 84, 84], [70, 200, 190], [98, 190, 80],
  [255, 128, 190], [164, 112, 240], [150, 205, 255], [190, 130, 85], [170, 176, 190],
]; // prettier-ignore

/** The same without the grey, for the most common words of an attribute. */
export const HUES = PALETTE.slice(0, -1);
/** Words that are less common, and what is unknown. */
export const OTHER: Rgb = [176, 182, 194];
export const UNKNOWN: Rgb = [104, 110, 122];
/** Of points that nothing colours. */
export const PLAIN: Rgb = [190, 198, 215];

export const css = ([r, g, b]: Rgb): string => `rgb(${r} ${g} ${b})`;

/** From low to high, in steps that look equally large, each lighter than the last: deep blue over rose to pale yellow. */
const RAMP: readonly Rgb[] = [
  [60, 70, 180], [111, 75, 189], [155, 83, 183], [195, 93, 170], [229, 108, 150], [250, 132, 129], [255, 164, 114],
  [255, 198, 119], [253, 231, 130],
]; // prettier-ignore

export function ramp(share: number): Rgb {
  const at = Math.min(1, Math.max(0, share)) * (RAMP.length - 1);
  const i = Math.min(RAMP.length - 2, Math.floor(at));
  const [a, b] = [RAMP[i]!, RAMP[i + 1]!];
  return [0, 1, 2].map((k) => Math.round(a[k]! + (at - i) * (b[k]! - a[k]!))) as unknown as Rgb;
}

export const rampCss = `linear-gradient(90deg, ${RAMP.map(css).join()})`;

/** Numbers and the ends of the scale that colours them. */
export type Scale = {
  readonly values: ArrayLike<number>;
  readonly low: number;
  readonly high: number;
  /** Whether some lie beyond the ends, where the colour is that of the end. */
  readonly below: boolean;
  readonly above: boolean;
  /** How many are unknown. */
  readonly unknown: number;
};

/** A scale over nearly all of the values: a few far out would leave the others in one colour. */
export function scaleOf(values: ArrayLike<number>): Scale {
  const known = Float64Array.from(values).filter((value) => !Number.isNaN(value)).sort();
  const unknown = values.length - known.length;
  const finite = known.filter(Number.isFinite);
  if (!finite.length) return { values, low: 0, high: 1, below: known[0] === -Infinity, above: known.at(-1) === Infinity, unknown };
  const at = (share: number): number => finite[Math.round(share * (finite.length - 1))]!;
  // Where all but a few are equal, those few are what there is to see.
  const [low, high] = at(0.01) < at(0.99) ? [at(0.01), at(0.99)] : [at(0), at(1)];
  return { values, low, high, below: known[0]! < low, above: known.at(-1)! > high, unknown };
}
