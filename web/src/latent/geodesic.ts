/** Paths along which the decoded picture changes least; as morphospace/latent/geodesics.py, but without gradients. */

import {
  type Matrix, type Point, accumulate, dot, norm, plus, scale, solve, subtract, transposed, zeros,
} from "./linear";
import { distance, evenly, placesOf } from "./paths";

/** Points to pictures, flattened, one after the other, values 0..1 and not rounded to pixels. */
export type Decode = (points: Point[]) => Promise<Float32Array>;
/** Told the share of the work that is done, 0..1. */
export type Progress = (share: number) => void;

const KNOTS = 25; // pictures a pair that the energy is summed over
const WAVES = 10; // sines that a path may bend along; more are slower and hardly shorter
const ITERATIONS = 12;
const DAMPINGS = [1e-4, 1e-2, 0.1, 1, 10, 100]; // of the mean curvature; all are tried at once, one decode for all
const NUDGE = 0.01; // of the pair's distance: shares the error between rounding (smaller) and bending (larger)
const ENOUGH = 1e-3; // of the energy: an iteration that saves less is the last
const [SAMPLES, SCATTER] = [1500, 7919]; // pixels that curvatures are summed over; a prime scatters them
const PASSES = 5; // to even out the steps; each leaves about a tenth of the unevenness
const TINY = 1e-12;

/**
 * The path through two or more points that changes the picture least, each pair a piece of its own of equal decoded
 * steps, and never longer than the straight line of equal steps. A pair takes up to about 12 * 23 * (d + 6) decodes,
 * 23 d of them at once.
 */
export async function geodesicThrough(
  points: readonly Point[], frames: number, decode: Decode, onProgress: Progress = () => {},
): Promise<Point[]> {
  const places = placesOf(points.length, frames);
  const path: Point[] = [points[0]!.slice()];
  const pairs = points.length - 1;
  for (let i = 0; i < pairs; i++) {
    const count = places[i + 1]! - places[i]! + 1;
    const told: Progress = (share) => onProgress((i + share) / pairs);
    path.push(...(await geodesic(points[i]!, points[i + 1]!, count, decode, told)).slice(1));
    told(1);
  }
  return path;
}

async function geodesic(a: Point, b: Point, frames: number, decode: Decode, onProgress: Progress): Promise<Point[]> {
  const line: Curve = { a, b, pace: [0, 1], bends: [] };
  if (frames <= 2) return pointsAt(line, [0, 1]);
  const straight = await even(line, frames, decode);
  const pace = await evenTimes(line, KNOTS, decode);
  const bends = await leastEnergy(pointsAt(line, pace), decode, onProgress);
  const bent = await even({ a, b, pace, bends }, frames, decode);
  return bent.length < straight.length ? bent.points : straight.points;
}

/**
 * A curve from a to b at times 0..1: a straight line at the share `pace`, known at even times, and what each sine is
 * weighted with, `bends`.
 */
type Curve = { readonly a: Point; readonly b: Point; readonly pace: readonly number[]; readonly bends: Matrix };

function pointsAt({ a, b, pace, bends }: Curve, times: readonly number[]): Point[] {
  const known = evenly(0, 1, pace.length);
  return times.map((time, i) => {
    if (i === 0 || i === times.length - 1) return (i === 0 ? a : b).slice(); // law 4
    const share = interpolate(time, known, pace);
    const point = plus(scale(a, 1 - share), b, share);
    bends.forEach((bend, k) => accumulate(point, bend, sine(k, time)));
    return point;
  });
}

/** 0 at times 0 and 1, and weighted 1/k: then each bends the energy about as much, and one damping suits all. */
const sine = (k: number, time: number): number => Math.sin(Math.PI * time * (k + 1)) / (k + 1);

async function even(curve: Curve, frames: number, decode: Decode): Promise<{ points: Point[]; length: number }> {
  const points = pointsAt(curve, await evenTimes(curve, frames, decode));
  const steps = stepsBetween(picturesOf(await decode(points), points.length));
  return { points, length: steps.reduce((sum, step) => sum + step, 0) };
}

/** Times between which decoded steps are equal: found by spacing them evenly in the length so far. */
async function evenTimes(curve: Curve, frames: number, decode: Decode): Promise<number[]> {
  const shares = evenly(0, 1, frames);
  let times = shares;
  for (let pass = 0; pass < PASSES; pass++) {
    const steps = stepsBetween(picturesOf(await decode(pointsAt(curve, times)), frames));
    const gone = [0];
    for (const step of steps) gone.push(gone.at(-1)! + step + TINY); // the time goes on where the picture stands
    const before = times;
    times = shares.map((share) => interpolate(share * gone.at(-1)!, gone, before));
  }
  return times;
}

const picturesOf = (values: Float32Array, count: number): Float32Array[] => {
  const size = values.length / count;
  return Array.from({ length: count }, (_, i) => values.subarray(i * size, (i + 1) * size));
};

const stepsBetween = (pictures: readonly Float32Array[]): number[] =>
  pictures.slice(1).map((picture, i) => distance(pictures[i]!, picture));

const energyOf = (pictures: readonly Float32Array[]): number =>
  stepsBetween(pictures).reduce((sum, step) => sum + step * step, 0);

/**
 * The weights of the sines that bend a line's knots to the least energy, sum of |D(z_i+1) - D(z_i)|^2: Gauss and
 * Newton's steps, damped as Levenberg and Marquardt do, with slopes from decoded nudges of each latent at each knot.
 */
async function leastEnergy(line: readonly Point[], decode: Decode, onProgress: Progress): Promise<Matrix> {
  const [a, b] = [line[0]!, line.at(-1)!];
  const size = norm(subtract(b, a)); // latents of any scale start alike
  const times = evenly(0, 1, line.length);
  const inner = line.slice(1, -1);
  const bent = (bends: Matrix): Point[] =>
    inner.map((point, i) => bends.reduce((sum, bend, k) => plus(sum, bend, sine(k, times[i + 1]!)), point));
  let bends: Matrix = Array.from({ length: WAVES }, () => zeros(a.length));
  let pictures = picturesOf(await decode([...line]), line.length);
  let energy = energyOf(pictures);
  if (size === 0) return bends;
  for (let iteration = 0; iteration < ITERATIONS && energy > TINY; iteration++) {
    const slopes = await jacobians(bent(bends), pictures, NUDGE * size, decode);
    const { slope, curvature } = inSines(slopes, pictures, times);
    const candidates = DAMPINGS.map((damping) => stepped(bends, slope, curvature, damping));
    const decoded = picturesOf(await decode(candidates.flatMap(bent)), candidates.length * inner.length);
    const trials = candidates.map((candidate, c) => {
      const seen = [pictures[0]!, ...decoded.slice(c * inner.length, (c + 1) * inner.length), pictures.at(-1)!];
      return { bends: candidate, pictures: seen, energy: energyOf(seen) };
    });
    const best = trials.reduce((least, trial) => (trial.energy < least.energy ? trial : least));
    onProgress((iteration + 1) / (ITERATIONS + 1));
    if (!(best.energy < energy)) break;
    const saved = 1 - best.energy / energy;
    ({ bends, pictures, energy } = best);
    if (saved < ENOUGH) break;
  }
  return bends;
}

/** How the picture at each inner knot changes with each latent, [knot][latent]; all nudged knots decoded at once. */
async function jacobians(
  inner: readonly Point[], pictures: readonly Float32Array[], nudge: number, decode: Decode,
): Promise<Float32Array[][]> {
  const nudged = inner.flatMap((point) => Array.from(point, (value, j) => point.slice().fill(value + nudge, j, j + 1)));
  const decoded = picturesOf(await decode(nudged), nudged.length);
  return inner.map((point, i) => {
    const still = pictures[i + 1]!;
    return decoded.slice(i * point.length, (i + 1) * point.length).map((picture) =>
      picture.map((value, pixel) => (value - still[pixel]!) / nudge));
  });
}

/** Half the energy's slope and its curvature, without that of the decoder, in the sines' weights, sine by sine. */
function inSines(
  slopes: readonly Float32Array[][], pictures: readonly Float32Array[], times: readonly number[],
): { slope: Point; curvature: Matrix } {
  const size = slopes[0]!.length;
  const waves = slopes.map((_, i) => Float64Array.from({ length: WAVES }, (_, k) => sine(k, times[i + 1]!)));
  const slope = zeros(WAVES * size);
  const curvature = Array.from(slope, () => zeros(slope.length));
  const samples = slopes.map((knot) => knot.map(sampleOf));
  slopes.forEach((here, i) => {
    const [before, still, after] = [pictures[i]!, pictures[i + 1]!, pictures[i + 2]!];
    const bend = still.map((value, pixel) => 2 * value - before[pixel]! - after[pixel]!);
    const pull = Float64Array.from(here, (change) => dot(change, bend));
    waves[i]!.forEach((weight, k) => accumulate(slope.subarray(k * size, (k + 1) * size), pull, weight));
    addBlock(curvature, gram(samples[i]!, samples[i]!), waves[i]!, waves[i]!, 2);
    if (i + 1 === slopes.length) return;
    const crossed = gram(samples[i]!, samples[i + 1]!);
    addBlock(curvature, crossed, waves[i]!, waves[i + 1]!, -1);
    addBlock(curvature, transposed(crossed), waves[i + 1]!, waves[i]!, -1);
  });
  return { slope, curvature };
}

/** Curvature only shapes the step, and takes a square of all latents: some pixels, in the place of all, do. */
function sampleOf(change: Float32Array): Float32Array {
  if (change.length <= SAMPLES) return change;
  const weight = Math.sqrt(change.length / SAMPLES);
  return Float32Array.from({ length: SAMPLES }, (_, i) => weight * change[(i * SCATTER) % change.length]!);
}

const gram = (a: readonly Float32Array[], b: readonly Float32Array[]): Matrix =>
  a.map((one) => Float64Array.from(b, (other) => dot(one, other)));

/** Add factor * left right^T, each entry times the block, to a matrix of blocks. */
function addBlock(matrix: Matrix, block: Matrix, left: Point, right: Point, factor: number): void {
  left.forEach((weight, k) => block.forEach((row, a) => {
    const target = matrix[k * block.length + a]!;
    right.forEach((other, l) =>
      accumulate(target.subarray(l * row.length, (l + 1) * row.length), row, factor * weight * other));
  }));
}

function stepped(bends: Matrix, slope: Point, curvature: Matrix, damping: number): Matrix {
  const ridge = (damping * curvature.reduce((sum, row, i) => sum + row[i]!, 0)) / slope.length + TINY;
  const damped = curvature.map((row, i) => row.slice().fill(row[i]! + ridge, i, i + 1));
  const step = solve(damped, slope);
  return bends.map((bend, k) => subtract(bend, step.subarray(k * bend.length, (k + 1) * bend.length)));
}

/** As numpy's interp: the value at x, linear between known ones. */
function interpolate(x: number, known: readonly number[], values: readonly number[]): number {
  const above = known.findIndex((place) => place > x);
  if (above === 0) return values[0]!;
  if (above < 0) return values.at(-1)!;
  const [left, right] = [known[above - 1]!, known[above]!];
  return values[above - 1]! + ((values[above]! - values[above - 1]!) * (x - left)) / (right - left);
}
