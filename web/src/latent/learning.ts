/** Concepts of yes and no, learned in the page; mirrors learn_concept of morphospace/latent/concepts.py. */

import type { Concept } from "./concepts";
import { auc, aucInterval, cosine, difference, stability } from "./evidence";
import { type Matrix, type Point, accumulate, dot, meanOf, norm, plus, solve, subtract, times, zeros } from "./linear";

const FEW = 5;
const [HARD, UNSTABLE, SAME] = [0.75, 0.9, 0.95];
const RIDGE = 1e-3; // of the mean variance of the latents
const NEWTON = 25;
const NOTHING = 1e-9; // of the codes' root mean square: a difference of means that is one of rounding
const JUDGES = 2; // held-out images of each side, at least
const [MANY, HELD_BACK] = [50, 5]; // images a side, of which every fifth is held back for the evidence

/** Codes, and whether each shows it. */
export type Examples = { readonly codes: readonly Point[]; readonly shows: readonly boolean[] };

/** What a concept carries beside what is learned; `others` are the space's concepts, which it may repeat. */
export type About = {
  readonly source?: string;
  readonly origin?: Readonly<Record<string, string>>;
  readonly seed?: number;
  readonly others?: readonly Concept[];
};

/**
 * A concept by mean difference, as the server learns it from reference points: of many on both sides every fifth is
 * held back and judges; of fewer it learns from all, and the AUC is of those. Both take the examples in one order, that
 * of the reference points.
 */
export function learnConcept(
  name: string, codes: readonly Point[], shows: readonly boolean[], about: About = {},
): Concept {
  const count = shows.filter(Boolean).length;
  if (Math.min(count, shows.length - count) < MANY) return learnFrom(name, { codes, shows }, null, about);
  const { learned, judges } = heldBack({ codes, shows });
  return learnFrom(name, learned, judges, about);
}

/** The same from given examples, judged by others; without them, or with fewer than 2 of a side, by its own. */
export function learnFrom(name: string, examples: Examples, heldOut: Examples | null, about: About = {}): Concept {
  if (!name.trim() || name.includes("=")) throw new Error(`Expected a name without "=", got "${name}".`);
  const { positives, negatives } = sides(examples);
  if (positives.length === 0 || negatives.length === 0) {
    throw new Error(`Concept ${name}: expected images that show it and images that do not, one or more of each.`);
  }
  const exact = difference(positives, negatives, positives.map(() => 1), negatives.map(() => 1));
  const direction = short(exact);
  const { codes } = examples;
  const size = Math.sqrt(codes.reduce((sum, z) => sum + dot(z, z), 0) / codes.length);
  if (!(norm(direction) > NOTHING * size) || !direction.every(Number.isFinite)) {
    throw new Error(`Concept ${name}: positives and negatives have the same mean, there is no direction.`);
  }
  const { normal, offset } = reading(examples);
  const others = heldOut && sides(heldOut);
  const judges = others && Math.min(others.positives.length, others.negatives.length) >= JUDGES ? others : null;
  const yes = times(judges?.positives ?? positives, direction);
  const no = times(judges?.negatives ?? negatives, direction);
  const seed = about.seed ?? 0;
  const concept: Concept = {
    name,
    method: "mean-difference",
    source: about.source ?? "",
    positives: positives.length,
    negatives: negatives.length,
    auc: auc(yes, no),
    aucInterval: judges && aucInterval(yes, no, seed),
    correlation: null,
    stability: stability(positives, negatives, seed),
    heldOut: judges !== null,
    distance: dot(normal, exact),
    offset,
    origin: about.origin ?? {},
    warnings: [],
    direction,
    normal: short(normal),
    field: null,
  };
  return { ...concept, warnings: warningsOf(concept, about.others ?? []) };
}

/** How far not to trust it, in plain words. */
export function warningsOf(concept: Concept, others: readonly Concept[]): string[] {
  const { positives, negatives } = concept;
  const found: string[] = [];
  if (positives + negatives > 0 && Math.min(positives, negatives) < FEW) {
    found.push(`learned from few images (${positives} against ${negatives})`);
  }
  if (concept.auc !== null && concept.auc < HARD) {
    found.push(`hard to tell apart in this space (AUC ${concept.auc.toFixed(2)}; 0.5 is chance)`);
  }
  if (concept.stability !== null && concept.stability < UNSTABLE) {
    const degrees = (Math.acos(Math.min(Math.max(concept.stability, -1), 1)) * 180) / Math.PI;
    found.push(`unstable: other examples may turn it by ${degrees.toFixed(0)} degrees`);
  }
  for (const other of others) {
    const same = cosine(concept.direction, other.direction);
    if (other.name === concept.name || same <= SAME) continue;
    found.push(`nearly the same as "${other.name}" (cosine ${same.toFixed(2)})`);
  }
  return found;
}

/** Every fifth of the examples that do not show it, and of those that do, and the rest. */
function heldBack({ codes, shows }: Examples): { learned: Examples; judges: Examples } {
  const order = [...shows.keys()].sort((i, j) => Number(shows[i]!) - Number(shows[j]!));
  const judging = new Set(order.filter((_, place) => place % HELD_BACK === 0));
  const part = (isJudging: boolean): Examples => ({
    codes: codes.filter((_, i) => judging.has(i) === isJudging),
    shows: shows.filter((_, i) => judging.has(i) === isJudging),
  });
  return { learned: part(false), judges: part(true) };
}

const sides = ({ codes, shows }: Examples): { positives: Point[]; negatives: Point[] } => ({
  positives: codes.filter((_, i) => shows[i]),
  negatives: codes.filter((_, i) => !shows[i]),
});

/** As the bundle stores it. */
const short = (values: Point): Point => values.map(Math.fround);

/** The best linear reading of the log-odds at equal frequencies. */
function reading({ codes, shows }: Examples): { normal: Point; offset: number } {
  const middle = meanOf(codes);
  const away = codes.map((z) => subtract(z, middle));
  const weights = logistic(away, shows);
  const normal = weights.slice(0, -1);
  const count = shows.filter(Boolean).length;
  return { normal, offset: weights.at(-1)! - dot(normal, middle) - Math.log(count / (shows.length - count)) };
}

/** Logistic regression of centred codes by Newton's method: weights with the constant last. */
function logistic(codes: readonly Point[], shows: readonly boolean[]): Point {
  const size = codes[0]!.length;
  const x = codes.map((z) => Float64Array.from([...z, 1]));
  const penalty = penaltyOf(codes);
  let weights = zeros(size + 1);
  for (let i = 0; i < NEWTON; i++) {
    const slope = weights.map((weight, j) => -penalty[j]! * weight);
    const curvature: Matrix = Array.from(penalty, (own, j) => zeros(size + 1).fill(own, j, j + 1));
    x.forEach((row, n) => {
      const chance = 1 / (1 + Math.exp(-Math.min(Math.max(dot(row, weights), -30), 30)));
      accumulate(slope, row, Number(shows[n]!) - chance);
      curvature.forEach((sums, j) => accumulate(sums, row, (chance * (1 - chance) + 1e-9) * row[j]!));
    });
    const step = solve(curvature, slope);
    weights = plus(weights, step);
    if (x.every((row) => Math.abs(dot(row, step)) < 1e-6)) break;
  }
  return weights;
}

/** What each squared weight costs, by the variances; the constant is free. */
function penaltyOf(codes: readonly Point[]): Point {
  const size = codes[0]!.length;
  const squares = zeros(size);
  for (const z of codes) accumulate(squares, z.map((value) => value * value), 1 / codes.length);
  const ridge = (RIDGE * squares.reduce((sum, square) => sum + square, 0)) / size || 1e-12;
  const cost = squares.map((square) => RIDGE * codes.length * (square + ridge));
  return Float64Array.from([...cost, 0]);
}
