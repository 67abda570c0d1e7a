/** Paths between latent points, and the measure of what they show; mirrors morphospace/latent/paths.py. */

import { type Point, dot, norm, plus, scale } from "./linear";
import { logAdd, logBelow, quantileOfLog } from "./normal";

/** The kinds of paths that need no decoder. */
export type Kind = "lerp" | "slerp" | "gaussian";

/** The points from `a` to `b` at `shares` of the way; the ends are `a` and `b` to the last bit. */
type Path = (a: Point, b: Point, shares: readonly number[]) => Point[];

/** The straight line. */
export const lerp: Path = (a, b, shares) => shares.map((t) => exactEnds(a, b, t) ?? plus(scale(a, 1 - t), b, t));

/** The great-circle path, its length going evenly from one's to the other's; lerp where there is no one such path. */
export const slerp: Path = (a, b, shares) => {
  const [lengthA, lengthB] = [norm(a), norm(b)];
  if (Math.min(lengthA, lengthB) <= 1e-6 * Math.max(lengthA, lengthB)) return lerp(a, b, shares);
  const [unitA, unitB] = [scale(a, 1 / lengthA), scale(b, 1 / lengthB)];
  const angle = Math.acos(Math.min(Math.max(dot(unitA, unitB), -1), 1));
  if (angle < 1e-4 || Math.PI - angle < 1e-4) return lerp(a, b, shares);
  return shares.map((t) => {
    const length = ((1 - t) * lengthA + t * lengthB) / Math.sin(angle);
    const turned = plus(scale(unitA, Math.sin((1 - t) * angle) * length), unitB, Math.sin(t * angle) * length);
    return exactEnds(a, b, t) ?? turned;
  });
};

/** In equal shares of the prior's probability, each latent by itself: slowly where N(0, 1) is dense. */
export const gaussian: Path = (a, b, shares) =>
  shares.map((t) => exactEnds(a, b, t) ?? a.map((from, j) => shareBetween(from, b[j]!, t)));

function shareBetween(a: number, b: number, t: number): number {
  const [here, there] = [Math.log1p(-t), Math.log(t)];
  const below = logAdd(here + logBelow(a), there + logBelow(b));
  const above = logAdd(here + logBelow(-a), there + logBelow(-b));
  // The inverse is good in the lower tail: what lies in the upper one is mirrored.
  const found = below < above ? quantileOfLog(below) : -quantileOfLog(above);
  return Math.min(Math.max(found, Math.min(a, b)), Math.max(a, b));
}

const exactEnds = (a: Point, b: Point, t: number): Point | null => (t === 0 ? a.slice() : t === 1 ? b.slice() : null);

const PATHS: Readonly<Record<Kind, Path>> = { lerp, slerp, gaussian };

/** Numbers evenly from `start` to `end`, both among them; computed as numpy's linspace, to round where it does. */
export function evenly(start: number, end: number, count: number): number[] {
  const step = (end - start) / Math.max(count - 1, 1);
  return Array.from({ length: count }, (_, i) => (i > 0 && i === count - 1 ? end : start + i * step));
}

/** Which of `frames` show the points that a path goes through: the first, the last, the others evenly between. */
export function placesOf(points: number, frames: number): number[] {
  if (points < 2) throw new Error(`A morph needs at least two images, got ${points}.`);
  if (frames < points) throw new Error(`Expected at least ${points} frames, one for each image, got ${frames}.`);
  return evenly(0, frames - 1, points).map(roundToEven);
}

/** As numpy rounds: what lies exactly between goes to the even neighbour. */
function roundToEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}

/** A path through two or more points, each pair getting its share of the frames. */
export function pathThrough(points: readonly Point[], frames: number, kind: Kind = "lerp"): Point[] {
  const places = placesOf(points.length, frames);
  const pieces = points.slice(1).flatMap((point, i) => {
    const shares = evenly(0, 1, places[i + 1]! - places[i]! + 1);
    return PATHS[kind](points[i]!, point, shares).slice(1);
  });
  return [points[0]!.slice(), ...pieces];
}

/** How much the picture changes along a path; evenness 0 is perfectly even, and where nothing changes. */
export type PathLength = { readonly steps: number[]; readonly length: number; readonly evenness: number };

/** The length of a path in pictures, each flattened and in [0, 1], and how even its steps are. */
export function pathLength(frames: readonly ArrayLike<number>[]): PathLength {
  if (frames.length < 2) throw new Error("The length of a path: expected at least two pictures.");
  const steps = frames.slice(1).map((picture, i) => distance(frames[i]!, picture));
  const length = steps.reduce((sum, step) => sum + step, 0);
  const mean = length / steps.length;
  const variance = steps.reduce((sum, step) => sum + (step - mean) ** 2, 0) / steps.length;
  return { steps, length, evenness: mean > 0 ? Math.sqrt(variance) / mean : 0 };
}

/** The root of the summed squared differences between pictures. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
}
