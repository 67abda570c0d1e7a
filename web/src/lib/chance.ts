/** Chance that a seed repeats. */

import { mulberry32 } from "../latent/evidence";

/** `d` draws from N(0, 1), by Box and Muller. */
export function gaussian(seed: number, d: number): Float64Array {
  const draw = mulberry32(seed);
  return Float64Array.from({ length: d }, () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw()));
}
