import { expect, test } from "vitest";
import { geodesicThrough } from "../../src/latent/geodesic";
import { type Point, pointFrom, times } from "../../src/latent/linear";
import { logBelow, quantileOfLog } from "../../src/latent/normal";
import { distance, evenly, gaussian, lerp, pathLength, pathThrough, placesOf, slerp } from "../../src/latent/paths";
import { expectClose, fixtures, pointsFrom } from "./fixtures";

const lengthOf = (points: Point[], decode: (z: Point) => ArrayLike<number>) => pathLength(points.map(decode));

/** As the page's decoder: float32, one picture after the other. */
const batched = (decode: (z: Point) => ArrayLike<number>) => async (points: Point[]) =>
  Float32Array.from(points.flatMap((z) => Array.from(decode(z))));

test("log Phi is exact in both tails, and its inverse finds the way back", () => {
  for (const [x, wanted] of fixtures.tails) {
    expect(Math.abs(logBelow(x) / wanted - 1), `log Phi(${x})`).toBeLessThan(1e-12);
    if (x <= 0) expect(Math.abs(quantileOfLog(wanted) - x)).toBeLessThanOrEqual(1e-13 * Math.max(1, -x));
  }
  expect(quantileOfLog(-Infinity)).toBe(-Infinity);
});

test("the places of the points are numpy's, halves to even", () => {
  for (const [points, frames, places] of fixtures.places) expect(placesOf(points, frames)).toEqual(places);
  expect(() => placesOf(1, 3)).toThrow("at least two images, got 1");
  expect(() => placesOf(4, 3)).toThrow("at least 4 frames");
});

test("paths of all kinds are those of Python", () => {
  for (const { kind, points, frames, path } of fixtures.paths) {
    expectClose(pathThrough(pointsFrom(points), frames, kind), path);
  }
});

test("paths end exactly where they are to, and go straight where no other way is", () => {
  const [a, b] = [pointFrom([0.1, 0.7, -1e-9]), pointFrom([0.3, -12.3, 5])];
  for (const path of [lerp, slerp, gaussian]) {
    const points = path(a, b, evenly(0, 1, 4));
    expect([points[0], points[3]]).toEqual([a, b]);
  }
  expect(slerp(a, a, [0.5])).toEqual(lerp(a, a, [0.5]));
  expect(slerp(pointFrom([0, 0]), pointFrom([1, 0]), [0.5])).toEqual([pointFrom([0.5, 0])]);
});

test("the length of a path", () => {
  expect(pathLength([[0, 0], [3, 4], [3, 9]])).toEqual({ steps: [5, 5], length: 10, evenness: 0 });
  expect(pathLength([[1], [1]]).evenness).toBe(0);
  expect(() => pathLength([[1]])).toThrow("at least two pictures");
});

test("on the globe a geodesic is the great circle", async () => {
  const globe = ([east, north]: Point) =>
    [Math.cos(north!) * Math.cos(east!), Math.cos(north!) * Math.sin(east!), Math.sin(north!)];
  const shares: number[] = [];
  const ends = [pointFrom([-1, 1]), pointFrom([1, 1])];
  const path = await geodesicThrough(ends, 3, batched(globe), (share) => shares.push(share));
  expect(path[1]![1]).toBeCloseTo(Math.atan(Math.tan(1) / Math.cos(1)), 2);
  expect(path[1]![0]).toBeCloseTo(0, 2);
  expect(shares.at(-1)).toBe(1);
  expect(shares).toEqual([...shares].sort());
});

test("geodesics are as short as Python's, their steps equal, the given points on them", async () => {
  const { first, second, a, b, bent, straight, middles } = fixtures.geodesics;
  const [inner, outer] = [pointsFrom(first), pointsFrom(second)];
  const decode = (z: Point) => times(outer, times(inner, z).map(Math.tanh)).map((value) => 1 / (1 + Math.exp(-value)));
  for (const [i, start] of pointsFrom(a).entries()) {
    const end = pointFrom(b[i]!);
    const path = await geodesicThrough([start, end], 9, batched(decode));
    const { length, evenness } = lengthOf(path, decode);
    expect(length).toBeLessThan(bent[i]! * 1.001);
    expect(bent[i]!).toBeLessThan(straight[i]! * 0.99); // else the test would show nothing
    expect(evenness).toBeLessThan(0.01);
    expect(distance(path[4]!, middles[i]!)).toBeLessThan(0.05);
  }
  const corners = pointsFrom([a[0]!, b[0]!, b[1]!]);
  const through = await geodesicThrough(corners, 6, batched(decode));
  expect(placesOf(3, 6).map((place) => through[place])).toEqual(corners);
});

test("where nothing changes or bends, a geodesic is the straight line", async () => {
  const corners = pointsFrom([[0, 0], [2, 0], [2, 2]]);
  const flat = await geodesicThrough(corners, 5, batched((z) => z.map((value) => 3 * value)));
  expectClose(flat, [[0, 0], [1, 0], [2, 0], [2, 1], [2, 2]], 1e-6);
  expectClose(await geodesicThrough(corners.slice(0, 2), 3, batched(() => [1, 1])), [[0, 0], [1, 0], [2, 0]], 1e-9);
  const still = await geodesicThrough([corners[1]!, corners[1]!], 4, batched((z) => z));
  expect(still).toEqual(Array(4).fill(corners[1]));
});
