/** From class to class by optimal transport and back towards home; mirrors morphospace/latent/classes.py. */

import {
  type Matrix, type Point, accumulate, dot, inverse, logDeterminant, meanOf, plus, product, rowsOf, subtract,
  symmetricEigen, times, transposed, zeros,
} from "./linear";
import { float64From } from "./wire";

const [STEPS, RATE] = [60, 0.1]; // spreads of a latent
const STAY = 0.1; // nats a squared spread of distance from where the code came from
const OUTSIDE = 0.5; // nats a nat of untypicality

/** The Gaussians of K classes of codes; `margin` nats make an edit's target likelier than any other. */
export type Classes = {
  readonly names: readonly string[];
  readonly margin: number;
  readonly means: readonly Point[];
  readonly covariances: readonly Matrix[];
  readonly precisions: readonly Matrix[];
  /** The log-density at each mean, without the constant of all. */
  readonly offsets: readonly number[];
  /** The standard deviation of each latent over all classes: the scale of the codes. */
  readonly spreads: Point;
};

export type WireClasses = { names: string[]; margin: number; means: string; covariances: string };

export function classesFrom(wire: WireClasses): Classes {
  const flat = float64From(wire.means);
  const size = flat.length / wire.names.length;
  const rows = rowsOf(float64From(wire.covariances), size);
  const covariances = wire.names.map((_, k) => rows.slice(k * size, (k + 1) * size));
  const means = rowsOf(flat, size);
  return {
    names: wire.names,
    margin: wire.margin,
    means,
    covariances,
    precisions: covariances.map(inverse),
    offsets: covariances.map((covariance) => -0.5 * logDeterminant(covariance)),
    spreads: spreadsOf(means, covariances),
  };
}

/** The root of each latent's variance within classes and between their means. */
function spreadsOf(means: readonly Point[], covariances: readonly Matrix[]): Point {
  const middle = meanOf(means);
  return middle.map((mean, j) => {
    const variances = means.map((own, k) => covariances[k]![j]![j]! + (own[j]! - mean) ** 2);
    return Math.sqrt(variances.reduce((sum, variance) => sum + variance, 0) / means.length);
  });
}

/** Log-densities of codes under each class, nats: the largest is the class a code belongs to. */
export const classScores = (classes: Classes, points: readonly Point[]): Point[] =>
  points.map((z) => scored(classes, z).scores);

/** The chances that codes are of each class, as where all classes are equally frequent. */
export function classChances(classes: Classes, points: readonly Point[]): Point[] {
  return classScores(classes, points).map((scores) => {
    const shares = scores.map((score) => Math.exp(score - Math.max(...scores)));
    const total = shares.reduce((sum, share) => sum + share, 0);
    return shares.map((share) => share / total);
  });
}

/**
 * Codes moved from the class `source` to `target`; `strength` is the share of the way. Without a source it is found for
 * each code, and those that are of the target already stay.
 */
export function changeClass(
  classes: Classes, points: readonly Point[], source: string | null, target: string, strength = 1,
): Point[] {
  const t = numberOf(classes, target);
  if (source === target) throw new Error(`Expected another class than that of the images, got "${target}" twice.`);
  if (!Number.isFinite(strength)) throw new Error(`Expected a finite strength, got ${strength}.`);
  const given = source === null ? null : numberOf(classes, source);
  const carries = new Map<number, Matrix>();
  return points.map((z) => {
    const s = given ?? largest(scored(classes, z).scores);
    if (s === t) return z.slice();
    const carry = carries.get(s) ?? transport(classes.covariances[s]!, classes.covariances[t]!);
    carries.set(s, carry);
    const carried = plus(classes.means[t]!, times(carry, subtract(z, classes.means[s]!)));
    return plus(z, subtract(settled(classes, z, carried, t), z), strength);
  });
}

function numberOf(classes: Classes, name: string): number {
  const number = classes.names.indexOf(name);
  if (number < 0) throw new Error(`There is no class "${name}". There are ${classes.names.join(", ")}.`);
  return number;
}

/** The symmetric matrix that carries one Gaussian to the other. Source: Peyre and Cuturi, arXiv:1803.00567, 2.31. */
function transport(from: Matrix, to: Matrix): Matrix {
  const [root, back] = [power(from, 0.5), power(from, -0.5)];
  return product(back, product(power(product(product(root, to), root), 0.5), back));
}

/**
 * Adam's steps from `start` to the place in the target class that is nearest to `home`. Slopes are in nats a spread, and
 * steps in spreads: codes of any scale take the same way.
 */
function settled(classes: Classes, home: Point, start: Point, target: number): Point {
  const { spreads } = classes;
  const z = start.slice();
  const [first, second] = [zeros(z.length), zeros(z.length)];
  for (let step = 1; step <= STEPS; step++) {
    const { scores, pulls } = scored(classes, z);
    const own = scores[target]!;
    const rival = largest(scores.map((score, k) => (k === target ? -Infinity : score)));
    const slope = z.map((value, j) => (2 * STAY * (value - home[j]!)) / spreads[j]! ** 2);
    if (own - scores[rival]! < classes.margin) {
      accumulate(slope, pulls[rival]!, 1);
      accumulate(slope, pulls[target]!, -1);
    }
    const isOutside = 2 * (classes.offsets[target]! - own) > z.length;
    if (isOutside) accumulate(slope, pulls[target]!, -2 * OUTSIDE);
    for (let j = 0; j < z.length; j++) {
      const own = slope[j]! * spreads[j]!;
      first[j]! += 0.1 * (own - first[j]!);
      second[j]! += 0.001 * (own ** 2 - second[j]!);
      const length = first[j]! / (1 - 0.9 ** step) / (Math.sqrt(second[j]! / (1 - 0.999 ** step)) + 1e-8);
      z[j]! -= RATE * spreads[j]! * length;
    }
  }
  return z;
}

/** Log-densities under each class, and their slopes at a code. */
function scored(classes: Classes, z: Point): { scores: Point; pulls: Point[] } {
  const scores = zeros(classes.names.length);
  const pulls = classes.precisions.map((precision, k) => {
    const away = subtract(classes.means[k]!, z);
    const pull = times(precision, away);
    scores[k] = classes.offsets[k]! - 0.5 * dot(away, pull);
    return pull;
  });
  return { scores, pulls };
}

const largest = (scores: Point): number => scores.reduce((best, score, k) => (score > scores[best]! ? k : best), 0);

/** A power of a symmetric positive matrix. */
function power(matrix: Matrix, exponent: number): Matrix {
  const { values, vectors } = symmetricEigen(matrix);
  const least = 1e-12 * Math.max(...values);
  const scaled = vectors.map((vector, k) => vector.map((entry) => entry * Math.max(values[k]!, least) ** exponent));
  return product(transposed(vectors), scaled);
}
