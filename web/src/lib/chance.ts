/** Chance that a seed repeats. */

/** Numbers in [0, 1) that a seed determines. Source: mulberry32, Tommy Ettinger, public domain. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `d` draws from N(0, 1), by Box and Muller. */
export function gaussian(seed: number, d: number): Float64Array {
  const draw = uniform(seed);
  return Float64Array.from({ length: d }, () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw()));
}
