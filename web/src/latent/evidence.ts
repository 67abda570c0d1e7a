/** How far to trust a direction; mirrors morphospace/latent/evidence.py. */

import { type Point, accumulate, dot, norm, zeros } from "./linear";

const DRAWS = 200;
const UNSTABLE_END = 0.05;

/** Numbers evenly in [0, 1) from a seed. Source: Tommy Ettinger's mulberry32, public domain. */
export function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** One draw after another of the Bayesian bootstrap: weights whose mean is about 1. Source: Rubin (1981). */
function drawsOf(count: number, seed: number): () => Point {
  const random = mulberry32(seed);
  return () => zeros(count).map(() => -Math.log(1 - random()));
}

/** The chance that a positive's score exceeds a negative's, ties counting half. */
export const auc = (positives: Point, negatives: Point): number =>
  weightedAuc(positives, negatives)(positives.map(() => 1), negatives.map(() => 1));

/** Where 95 % of AUCs lie when the examples are drawn again. */
export function aucInterval(positives: Point, negatives: Point, seed: number): [number, number] {
  const judge = weightedAuc(positives, negatives);
  const [ones, others] = [drawsOf(positives.length, seed), drawsOf(negatives.length, seed + 1)];
  const found = zeros(DRAWS).map(() => judge(ones(), others()));
  return [quantile(found, 0.025), quantile(found, 0.975)];
}

/** The cosine to the mean difference that 95 % of those learned from other draws of the examples exceed. */
export function stability(positives: readonly Point[], negatives: readonly Point[], seed: number): number {
  const direction = difference(positives, negatives, positives.map(() => 1), negatives.map(() => 1));
  const draw = drawsOf(positives.length + negatives.length, seed);
  const cosines = zeros(DRAWS).map(() => {
    const weights = draw();
    return cosine(direction, difference(positives, negatives, weights, weights.subarray(positives.length)));
  });
  return quantile(cosines, UNSTABLE_END);
}

/** The cosine between directions; 0 where one has no length. */
export const cosine = (a: Point, b: Point): number => dot(a, b) / Math.max(norm(a) * norm(b), 1e-30);

/** The mean of the positives less that of the negatives, each weighted. */
export function difference(
  positives: readonly Point[], negatives: readonly Point[], weights: ArrayLike<number>, others: ArrayLike<number>,
): Point {
  const sum = zeros(positives[0]!.length);
  const [mass, opposite] = [massOf(weights, positives.length), massOf(others, negatives.length)];
  positives.forEach((z, i) => accumulate(sum, z, weights[i]! / mass));
  negatives.forEach((z, i) => accumulate(sum, z, -others[i]! / opposite));
  return sum;
}

/** As numpy's: linear between the two values beside it. */
export function quantile(values: Point, share: number): number {
  const sorted = values.slice().sort();
  const place = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  return low + (high - low) * (place - Math.floor(place));
}

/** AUCs of weighted positives and negatives, whose order is found once for all draws. */
function weightedAuc(positives: Point, negatives: Point): (weights: Point, others: Point) => number {
  const order = [...negatives.keys()].sort((i, j) => negatives[i]! - negatives[j]!);
  const sorted = Float64Array.from(order, (i) => negatives[i]!);
  const below = Array.from(positives, (score) => countOf(sorted, (other) => other < score));
  const notAbove = Array.from(positives, (score) => countOf(sorted, (other) => other <= score));
  return (weights, others) => {
    const sums = zeros(order.length + 1);
    order.forEach((i, k) => (sums[k + 1] = sums[k]! + others[i]!));
    const won = weights.reduce((sum, weight, i) => sum + weight * (sums[below[i]!]! + sums[notAbove[i]!]!), 0) / 2;
    return won / (massOf(weights, weights.length) * sums[order.length]!);
  };
}

/** How many values of a sorted row hold what the first ones hold and the last ones do not. */
function countOf(sorted: Point, holds: (value: number) => boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(sorted[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function massOf(weights: ArrayLike<number>, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += weights[i]!;
  return sum;
}
