/** Moves along concepts, others kept as they are; mirrors morphospace/latent/moves.py and Space._moved. */

import { type Concept, type Slope, at, conceptNamed, followed, isFollowing, linear, read } from "./concepts";
import { spanOf } from "./fields";
import { type Matrix, type Point, accumulate, determinant, dot, plus, solve, zeros } from "./linear";

/** One strength for all points, or one for each. */
export type Strength = number | ArrayLike<number>;
/** Name -> strength. A map: concepts may be called "6" or "constructor". */
export type Strengths = ReadonlyMap<string, Strength>;
/** The names of what is to stay, or name -> how far it is to be brought back. */
export type Keep = readonly string[] | Strengths;
/** Decodes points and encodes the pictures again, as means. */
export type Look = (points: Point[]) => Promise<Point[]>;

const STEPS = 8;
const APART = 0.05; // of the determinant, which is 1 for concepts that have nothing in common
const RIDGE = 0.01;
const BEYOND = 0.25; // strengths past the values of the examples
const BACK = 0.5; // strengths by which a second look may correct a concept that was to stay

type Wanted = { readonly concept: Concept; readonly strength: number };

/**
 * Points moved along several concepts at once: along directions alone z + sum of s d; along fields, or with `keep`, in
 * 8 steps, as the Python function says. Throws for an unknown concept, a strength that is not finite, a concept both
 * moved and kept, or concepts too much alike to keep one while another moves.
 */
export function move(
  points: readonly Point[], concepts: readonly Concept[], strengths: Strengths, keep: Keep = [],
): Point[] {
  const kept = heldBy(keep);
  const asked = [...strengths, ...kept].map(
    ([name, strength]) => ({ concept: conceptNamed(concepts, name), strength }),
  );
  for (const [name, strength] of strengths) {
    if (kept.has(name)) throw new Error(`"${name}" is to be moved; it cannot be kept too.`);
    if (!(typeof strength === "number" ? [strength] : Array.from(strength)).every(Number.isFinite)) {
      throw new Error(`"${name}": expected a finite strength.`);
    }
  }
  if (kept.size > 0) checkApart(asked.map(({ concept }) => concept));
  return points.map((z, n) => {
    const wanted = asked.map(({ concept, strength }) => ({ concept, strength: strengthOf(strength, n) }));
    const bends = kept.size > 0 || wanted.some(({ concept }) => isFollowing(concept));
    if (bends) return followedFrom(z, wanted, kept.size > 0);
    const moved = z.slice();
    for (const { concept, strength } of wanted) accumulate(moved, concept.direction, strength);
    return moved;
  });
}

/**
 * The same, with a second look along fields: what the decoded picture, encoded again, is short of is added, and what
 * is kept is brought back as far as it went astray.
 */
export async function movedWithLook(
  points: readonly Point[], concepts: readonly Concept[], strengths: Strengths, keep: Keep, look: Look,
): Promise<Point[]> {
  const moved = move(points, concepts, strengths, keep);
  const held = heldBy(keep);
  const isMoving = (strength: Strength): boolean => points.some((_, n) => strengthOf(strength, n) !== 0);
  const fields = [...strengths].filter(
    ([name, strength]) => isFollowing(conceptNamed(concepts, name)) && isMoving(strength),
  );
  if (fields.length === 0) return moved;
  const seen = await look(moved);
  const missing = (name: string, strength: Strength): Strength => {
    const concept = conceptNamed(concepts, name);
    return Float64Array.from(points, (z, n) => {
      const asked = strengthOf(strength, n);
      const got = (read(concept, seen[n]!) - read(concept, z)) / concept.distance;
      const most = Math.max(Math.abs(asked), BACK);
      return clip(asked - got, -most, most);
    });
  };
  const more = new Map(fields.map(([name, strength]) => [name, missing(name, strength)]));
  if (held.size === 0) return move(moved, concepts, more);
  // What has arrived is held from now on, too.
  const still = new Map<string, Strength>();
  for (const [name, back] of held) {
    still.set(name, isFollowing(conceptNamed(concepts, name)) ? missing(name, back) : 0);
  }
  for (const name of strengths.keys()) if (!more.has(name)) still.set(name, 0);
  return move(moved, concepts, more, still);
}

/** How far each kept concept is to be brought back after a change of class took points from `start` to `points`. */
export const broughtBack = (
  start: readonly Point[], points: readonly Point[], concepts: readonly Concept[], keep: readonly string[],
): Map<string, Strength> =>
  new Map(keep.map((name) => {
    const concept = conceptNamed(concepts, name);
    return [name, Float64Array.from(points, (z, n) => at(concept, start[n]!).reading - at(concept, z).reading)];
  }));

const heldBy = (keep: Keep): Strengths => ("length" in keep ? new Map(keep.map((name) => [name, 0])) : keep);

const strengthOf = (strength: Strength, n: number): number => (typeof strength === "number" ? strength : strength[n]!);

const clip = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

function followedFrom(start: Point, wanted: readonly Wanted[], mixed: boolean): Point {
  const goals = wanted.map(({ concept, strength }) => goalOf(concept, at(concept, start).reading, strength));
  let here = start;
  for (let left = STEPS; left > 0; left--) {
    // By the midpoint rule: the slopes of half-way lead along a curve, those of the start off it.
    const middle = plus(here, stepFrom(here, wanted, goals, left, mixed), 0.5);
    here = plus(here, stepFrom(middle, wanted, goals, left - 0.5, mixed));
  }
  return here;
}

/** Where a reading is to get, in strengths; along a field hardly farther than its places know the way. */
function goalOf(concept: Concept, reading: number, strength: number): number {
  const field = followed(concept);
  if (field === null) return reading + strength;
  const { low, high } = spanOf(field);
  const [least, most] = [low / concept.distance - BEYOND, high / concept.distance + BEYOND];
  return clip(reading + strength, Math.min(least, reading), Math.max(most, reading));
}

/** How far to go from `here` when `left` steps are left. */
function stepFrom(
  here: Point, wanted: readonly Wanted[], goals: readonly number[], left: number, mixed: boolean,
): Point {
  const slopes = wanted.map(({ concept }) => at(concept, here));
  const missing = slopes.map(({ reading }, i) => (goals[i]! - reading) / left);
  // A direction goes straight; only fields look where they are.
  const short = mixed
    ? mixedBy(slopes, missing)
    : wanted.map(({ concept, strength }, i) => (isFollowing(concept) ? missing[i]! : strength / STEPS));
  const step = zeros(here.length);
  slopes.forEach(({ way }, i) => accumulate(step, way, short[i]!));
  return step;
}

/** How much of each way to take so that the readings change as wanted. */
function mixedBy(slopes: readonly Slope[], wanted: readonly number[]): ArrayLike<number> {
  const crossed = crossings(slopes);
  crossed.forEach((row, i) => (row[i]! += RIDGE));
  return solve(crossed, wanted);
}

/** What way b does to reading a; about 1 where a is b. */
const crossings = (slopes: readonly Slope[]): Matrix =>
  slopes.map(({ gradient }) => Float64Array.from(slopes, ({ way }) => dot(gradient, way)));

/** Refuse concepts of which none can move while another is kept, by their directions and linear readings. */
function checkApart(concepts: readonly Concept[]): void {
  const crossed = crossings(concepts.map((concept) => linear(concept, zeros(concept.direction.length))));
  const own = crossed.map((row, i) => Math.sqrt(Math.abs(row[i]!)));
  const alike = crossed.map((row, i) => row.map((value, j) => value / Math.max(own[i]! * own[j]!, 1e-30)));
  if (!(Math.abs(determinant(alike)) >= APART)) {
    const names = concepts.map(({ name }) => `"${name}"`).join(", ");
    throw new Error(`${names} are too much alike in this space to move one and keep another.`);
  }
}
