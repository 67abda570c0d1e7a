/** How densely codes lie on a plane, as a small picture: where there are none, the map fades. */

export type Density = { readonly side: number; readonly half: number; readonly values: Uint8Array };

const SIDE = 160;
const BLURS = 3;
const WIDE = 8;

/**
 * A histogram of points (u, v in turn) over -half..half both ways, blurred three times by a box, which is nearly a
 * Gaussian; 255 is as dense as a typical place, so that the map of a few crowded places does not fade elsewhere.
 */
export function densityOf(uv: Float32Array, weights: Float32Array | null): Density {
  let half = 1;
  for (const value of uv) half = Math.max(half, Math.abs(value));
  half *= 1.1;
  if (half > WIDE) {
    // A few places far out do not make the picture too coarse for the others.
    const sorted = uv.map(Math.abs).sort();
    half = Math.max(WIDE, 1.1 * sorted[Math.floor(0.998 * (sorted.length - 1))]!);
  }
  let grid = new Float32Array(SIDE * SIDE);
  for (let i = 0; i < uv.length; i += 2) {
    const x = Math.floor(((uv[i]! + half) / (2 * half)) * SIDE);
    const y = Math.floor(((uv[i + 1]! + half) / (2 * half)) * SIDE);
    if (x >= 0 && x < SIDE && y >= 0 && y < SIDE) grid[y * SIDE + x]! += weights ? weights[i / 2]! : 1;
  }
  // Few points need a wider neighbourhood to join than many do.
  const radius = Math.max(1, Math.round(SIDE * Math.min(0.06, 0.8 / Math.sqrt(Math.max(uv.length / 2, 1)) + 0.016)));
  for (let i = 0; i < BLURS; i++) grid = blurred(blurred(grid, radius, 1, SIDE), radius, SIDE, 1);
  const there = grid.filter((value) => value > 1e-6).sort();
  const typical = there[Math.floor(there.length * 0.5)] ?? 1;
  return { side: SIDE, half, values: Uint8Array.from(grid, (value) => Math.min(255, (255 * value) / typical)) };
}

/** How densely data lies around a place, as a share of a typical place. */
export function densityAt({ side, half, values }: Density, u: number, v: number): number {
  const [x, y] = [u, v].map((value) => Math.floor(((value + half) / (2 * half)) * side)) as [number, number];
  return x >= 0 && x < side && y >= 0 && y < side ? values[y * side + x]! / 255 : 0;
}

/** A running mean along one axis: `step` from place to place, `line` from line to line. */
function blurred(grid: Float32Array, radius: number, step: number, line: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(grid.length);
  for (let l = 0; l < SIDE; l++) {
    const at = (i: number): number => (i >= 0 && i < SIDE ? grid[l * line + i * step]! : 0);
    let sum = 0;
    for (let i = -radius; i <= radius; i++) sum += at(i);
    for (let i = 0; i < SIDE; i++) {
      out[l * line + i * step] = sum / (2 * radius + 1);
      sum += at(i + radius + 1) - at(i - radius);
    }
  }
  return out;
}
