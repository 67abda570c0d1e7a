import { expect, test } from "vitest";
import {
  type Point, determinant, dot, identity, inverse, logDeterminant, norm, pointFrom, product, scale, solve,
  symmetricEigen, times, transposed,
} from "../../src/latent/linear";
import { mulberry32 } from "../../src/latent/evidence";
import { move } from "../../src/latent/moves";
import {
  effectiveDirections, ellipse, fromPlane, planeOfConcepts, planeOfLatents, planeOfPrincipal, planeThrough, toPlane,
} from "../../src/latent/planes";
import { principalFrom } from "../../src/latent/wire";
import { concepts, expectClose } from "./fixtures";

const random = mulberry32(1);
const randomPoint = (d: number): Point => Float64Array.from({ length: d }, () => 2 * random() - 1);

test("linear algebra undoes itself", () => {
  for (const size of [1, 2, 5, 32]) {
    const matrix = Array.from({ length: size }, () => randomPoint(size));
    const right = randomPoint(size);
    expectClose([times(matrix, solve(matrix, right))], [right], 1e-9);
    expectClose(product(matrix, inverse(matrix)), identity(size), 1e-9);
    expect(Math.log(Math.abs(determinant(matrix)))).toBeCloseTo(logDeterminant(matrix), 9);
    const symmetric = product(matrix, transposed(matrix));
    const { values, vectors } = symmetricEigen(symmetric);
    expectClose(product(vectors, transposed(vectors)), identity(size), 1e-12);
    const stretched = vectors.map((vector, i) => scale(vector, values[i]!));
    expectClose(vectors.map((vector) => times(symmetric, vector)), stretched, 1e-12);
    expect([...values]).toEqual([...values].sort((a, b) => b - a));
  }
  expect(determinant([pointFrom([0, 1]), pointFrom([1, 0])])).toBe(-1);
});

test("three points lie on their plane, well inside the map, undistorted", () => {
  const points = [randomPoint(6), randomPoint(6), randomPoint(6)];
  const plane = planeThrough(points[0]!, points[1]!, points[2]!);
  const places = points.map((point) => toPlane(plane, point));
  for (const [i, { u, v, away }] of places.entries()) {
    expect(away).toBeLessThan(1e-12);
    expect(Math.hypot(u, v)).toBeLessThanOrEqual(1.25 + 1e-12);
    expectClose([fromPlane(plane, u, v)], [points[i]!], 1e-12);
  }
  expect(Math.max(...places.map(({ u, v }) => Math.hypot(u, v)))).toBeCloseTo(1.25, 12);
  expect(dot(plane.right, plane.up)).toBeCloseTo(0, 12);
  expect(norm(plane.right)).toBeCloseTo(norm(plane.up), 12);
});

test("points on one line, or all the same, still have a plane", () => {
  const [a, b] = [randomPoint(4), randomPoint(4)];
  const middle = a.map((value, j) => (value + b[j]!) / 2);
  for (const points of [[a, b, middle], [a, a, b], [a, a, a]]) {
    const plane = planeThrough(points[0]!, points[1]!, points[2]!);
    expect(norm(plane.right)).toBeCloseTo(norm(plane.up), 12);
    expect(norm(plane.up)).toBeGreaterThan(0);
    for (const point of points) expect(toPlane(plane, point).away).toBeLessThan(1e-12);
  }
  const line = planeThrough(pointFrom([1]), pointFrom([2]), pointFrom([4]));
  expect([...line.up]).toEqual([0]);
  expect(fromPlane(line, toPlane(line, pointFrom([3])).u, 5)[0]).toBeCloseTo(3, 12);
});

test("on the plane of two concepts the coordinates are the strengths of an edit", () => {
  const [tall, bare] = [concepts.find(({ name }) => name === "tall")!, concepts.find(({ name }) => name === "bare")!];
  const plane = planeOfConcepts(tall, bare, randomPoint(5));
  const [edited] = move([plane.origin], concepts, new Map([["tall", 0.7], ["bare", -1.2]]));
  const { u, v, away } = toPlane(plane, edited!);
  expectClose([[u, v, away]], [[0.7, -1.2, 0]], 1e-9);
  expectClose([fromPlane(plane, 0.7, -1.2)], [edited!], 1e-12);
  expect(() => planeOfConcepts(tall, { ...tall, name: "twin" }, plane.origin)).toThrow("too much alike");
});

test("the ellipse of a posterior is its covariance on the plane", () => {
  const straight = ellipse(planeOfLatents(2, 0, 3), pointFrom([1, 2, 3]), pointFrom([Math.log(4), 0, Math.log(9)]));
  expectClose([[straight.u, straight.v, straight.a, straight.b, straight.angle]], [[3, 1, 3, 2, 0]], 1e-12);
  const upright = ellipse(planeOfLatents(0, 2, 3), pointFrom([0, 0, 0]), pointFrom([0, 0, Math.log(9)]));
  expectClose([[upright.a, upright.b, upright.angle]], [[3, 1, Math.PI / 2]], 1e-12);
  const sheared = { origin: pointFrom([0, 0]), right: pointFrom([1, 0]), up: pointFrom([1, 1]) };
  const { a, b, angle } = ellipse(sheared, pointFrom([0, 0]), pointFrom([0, 0])); // of u = x - y, v = y
  expect(a * b).toBeCloseTo(1, 12);
  expect((a * Math.cos(angle)) ** 2 + (b * Math.sin(angle)) ** 2).toBeCloseTo(2, 12);
  expect(((a ** 2 - b ** 2) * Math.sin(2 * angle)) / 2).toBeCloseTo(-1, 12);
});

test("beside a plane of principal axes the other axes are the effective directions", () => {
  const axes = [[0, 1, 0, 0], [0, 0, 0, -1], [1, 0, 0, 0], [0, 0, 1, 0]];
  const principal = principalFrom({ mean: [1, 1, 1, 1], axes, deviations: [4, 3, 2, 1] });
  const plane = planeOfPrincipal(principal, 0, 2);
  expect([[...plane.right], [...plane.up]]).toEqual([[0, 4, 0, 0], [2, 0, 0, 0]]);
  const found = effectiveDirections(plane, principal, 9);
  expectClose(found.map(({ direction }) => direction), [[0, 0, 0, 1], [0, 0, 1, 0]], 1e-12);
  expectClose([found.map(({ deviation }) => deviation)], [[3, 1]], 1e-12);
  const slanted = { origin: principal.mean, right: pointFrom([0, 1, 1, 0]), up: pointFrom([0, 0, 0, 0]) };
  const [first] = effectiveDirections(slanted, principal, 1);
  expect(first!.deviation).toBeCloseTo(3, 12);
  const beside = effectiveDirections(slanted, principal, 3);
  expect(beside.map(({ direction }) => Math.abs(dot(direction, slanted.right)) < 1e-12)).toEqual([true, true, true]);
  expect(beside[1]!.deviation).toBeCloseTo(Math.sqrt(17 / 2), 12);
});
