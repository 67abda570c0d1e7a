/** Planes of the latent space, z(u, v) = origin + u right + v up, and what lies on them or beside. */

import {
  type Point, accumulate, dot, identity, meanOf, norm, plus, scale, subtract, symmetricEigen, zeros,
} from "./linear";
import type { Concept } from "./concepts";
import type { Principal } from "./wire";

/** One unit of u along `right`, one of v along `up`; in a 1-D space `up` is zero. */
export type Plane = { readonly origin: Point; readonly right: Point; readonly up: Point };

const FARTHEST = 1.25; // units from the origin to the farthest of three points: well inside a map of -2..2
const APART = 0.05; // of 1 - cosine^2, as where one concept moves and another is kept
const TINY = 1e-9;

/** The plane through three points, its origin in their middle, with orthogonal axes of one length: no distortion. */
export function planeThrough(a: Point, b: Point, c: Point): Plane {
  const origin = meanOf([a, b, c]);
  const radius = Math.max(...[a, b, c].map((point) => norm(subtract(point, origin))));
  const unit = radius > 0 ? radius / FARTHEST : 1;
  const sides = [subtract(b, a), subtract(c, a)];
  // Points on one line, or all the same, lie on many planes: latents stand in, the first that lead off the line.
  const [right, up] = orthonormal([...sides, ...identity(origin.length)]);
  return { origin, right: scale(right!, unit), up: up ? scale(up, unit) : zeros(origin.length) };
}

/** The plane of the latents i and j of d, counted from 0, through `origin`. */
export const planeOfLatents = (i: number, j: number, d: number, origin: Point = zeros(d)): Plane => ({
  origin,
  right: axisOf(i, d),
  up: j === i ? zeros(d) : axisOf(j, d),
});

/** The plane of two principal axes, each as long as one standard deviation on it. */
export const planeOfPrincipal = ({ mean, axes, deviations }: Principal, i: number, j: number): Plane => ({
  origin: mean,
  right: scale(axes[i]!, deviations[i]!),
  up: j === i || !axes[j] ? zeros(mean.length) : scale(axes[j], deviations[j]!),
});

/**
 * The plane of two concepts through `origin`. Both axes stay as they are, in direction and length: then u and v are the
 * very strengths of an edit, and the map shows what the edit makes. Were `up` made orthogonal, it would no more be the
 * concept that its name says. The price: where concepts have something in common the map is sheared, and lengths on it
 * are strengths, not latent distances. Of a concept that follows a field it is the average direction.
 */
export function planeOfConcepts(a: Concept, b: Concept, origin: Point): Plane {
  const cosine = dot(a.direction, b.direction) / (norm(a.direction) * norm(b.direction));
  if (!(1 - cosine * cosine >= APART)) {
    throw new Error(`"${a.name}" and "${b.name}" are too much alike in this space to span a plane.`);
  }
  return { origin, right: a.direction, up: b.direction };
}

/** The nearest place on the plane, and how far away from it z lies. */
export function toPlane(plane: Plane, z: Point): { u: number; v: number; away: number } {
  const beside = subtract(z, plane.origin);
  const [u, v] = coordinates(plane, dot(beside, plane.right), dot(beside, plane.up));
  return { u, v, away: norm(plus(plus(beside, plane.right, -u), plane.up, -v)) };
}

export const fromPlane = ({ origin, right, up }: Plane, u: number, v: number): Point =>
  plus(plus(origin, right, u), up, v);

/** An ellipse of half-axes a >= b, the first turned by `angle` radians from u towards v. */
export type Ellipse = { u: number; v: number; a: number; b: number; angle: number };

/** Where one standard deviation of a posterior is projected to. */
export function ellipse(plane: Plane, mean: Point, logVar: Point): Ellipse {
  const { u, v } = toPlane(plane, mean);
  let [uu, uv, vv] = [0, 0, 0]; // the covariance on the plane
  logVar.forEach((logarithm, j) => {
    const [byU, byV] = coordinates(plane, plane.right[j]!, plane.up[j]!);
    uu += Math.exp(logarithm) * byU * byU;
    uv += Math.exp(logarithm) * byU * byV;
    vv += Math.exp(logarithm) * byV * byV;
  });
  const [middle, reach] = [(uu + vv) / 2, Math.hypot((uu - vv) / 2, uv)];
  const angle = Math.atan2(2 * uv, uu - vv) / 2;
  return { u, v, a: Math.sqrt(middle + reach), b: Math.sqrt(Math.max(middle - reach, 0)), angle };
}

/**
 * What changes most beside the plane: unit directions, orthogonal to it and to each other, with the deviations of the
 * codes along them, most effective first. They are the principal axes of what is left of the codes' spread.
 */
export function effectiveDirections(
  plane: Plane, principal: Principal, count: number,
): { direction: Point; deviation: number }[] {
  const removed = orthonormal([plane.right, plane.up]);
  const left = principal.axes.map((axis, i) =>
    scale(without(removed, axis), principal.deviations[i]!));
  const { values, vectors } = symmetricEigen(left.map((a) => Float64Array.from(left, (b) => dot(a, b))));
  const most = Math.max(values[0] ?? 0, 0);
  return vectors.flatMap((vector, k) => {
    if (values[k]! <= TINY * most || k >= count) return [];
    const sum = zeros(plane.origin.length);
    left.forEach((axis, i) => accumulate(sum, axis, vector[i]!));
    return [{ direction: upright(scale(sum, 1 / norm(sum))), deviation: Math.sqrt(values[k]!) }];
  });
}

/** Least squares: the (u, v) of what has these products with `right` and `up`; v is 0 where they span a line only. */
function coordinates({ right, up }: Plane, alongRight: number, alongUp: number): [number, number] {
  const [rr, ru, uu] = [dot(right, right), dot(right, up), dot(up, up)];
  const area = rr * uu - ru * ru;
  if (!(area > 1e-12 * rr * uu)) return [rr > 0 ? alongRight / rr : 0, 0];
  return [(uu * alongRight - ru * alongUp) / area, (rr * alongUp - ru * alongRight) / area];
}

/** Gram and Schmidt: unit vectors that span the same, without those that add nothing. */
function orthonormal(vectors: readonly Point[]): Point[] {
  const most = Math.max(...vectors.map(norm));
  return vectors.reduce<Point[]>((found, vector) => {
    const rest = without(found, without(found, vector)); // twice: once leaves rounding of nearly parallel vectors
    const length = norm(rest);
    return length > TINY * most && length > TINY * norm(vector) ? [...found, scale(rest, 1 / length)] : found;
  }, []);
}

/** What is left of a vector beside orthogonal unit vectors. */
const without = (units: readonly Point[], vector: Point): Point =>
  units.reduce((rest, unit) => plus(rest, unit, -dot(rest, unit)), vector);

/** Its largest entry positive: the sign is arbitrary, and must not flip from map to map. */
function upright(direction: Point): Point {
  const largest = direction.reduce((most, entry) => (Math.abs(entry) > Math.abs(most) ? entry : most), 0);
  return largest < 0 ? scale(direction, -1) : direction;
}

const axisOf = (i: number, d: number): Point => Float64Array.from({ length: d }, (_, j) => (j === i ? 1 : 0));
