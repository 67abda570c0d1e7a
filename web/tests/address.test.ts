import { expect, test } from "vitest";
import { type Address, START, fromHash, toHash } from "../src/lib/address";
import { levelFor } from "../src/map/tiles";
import { fitting, fromScreen, panned, toScreen, zoomed } from "../src/map/view";

const FULL: Address = {
  plane: { kind: "concepts", right: "a, b:c;d", up: "über & 6 = 9" },
  offsets: [0, -1.5],
  pins: [[0.25, -1], [3, 0.5]],
  subject: [0.125, 2],
  strengths: [["with, comma: and ; more", -0.75], ["6", 2]],
  kept: ["slant", "x,y"],
  target: "6",
  given: "Ankle boot",
  path: [[1, 1], [0, 0], [-1, 0.5]],
  kind: "geodesic",
  frames: 48,
  colour: "concept:slant",
  hidden: [3, 4],
  made: ["new one"],
  view: [0.5, -0.25, 180],
  tab: "concepts",
};

test("an address says everything and is read again", () => {
  expect(fromHash(toHash(FULL), 2)).toEqual(FULL);
  expect(fromHash(toHash(START), 2)).toEqual(START);
  expect(toHash(START)).toBe("");
});

test.each(["plane=images:1,2;3,4;5,6", "plane=principal:1,0", "plane=latents:0,1"])("planes: %s", (hash) => {
  expect(fromHash(toHash({ ...START, ...fromHash(hash, 2) }), 2).plane).toEqual(fromHash(hash, 2).plane);
  expect(fromHash(hash, 2).plane.kind).not.toBe("own");
});

test.each([
  "at=1,2", "at=NaN,0,1", "at=0,0,-3", "plane=latents:0,0", "plane=principal:9,1", "plane=images:1,2", "plane=concepts:a",
  "frames=1", "frames=1e9", "frames=x", "kind=spline", "tab=secret", "pins=1;2", "z=1,2,3", "edit=6:NaN", "edit=%", "=&&=;,",
])("what is nonsense is left out: %s", (hash) => {
  const { made: _made, ...read } = fromHash(hash, 2);
  const { made: _other, ...start } = START;
  expect(read).toEqual(start);
});

test("a place keeps its place", () => {
  const [size, view] = [{ width: 900, height: 600 }, { u: 0.3, v: -0.2, scale: 120 }];
  const { u, v } = fromScreen(view, size, 100, 450);
  expect(toScreen(view, size, u, v)).toEqual({ x: expect.closeTo(100), y: expect.closeTo(450) });
  const nearer = zoomed(view, size, 7, 100, 450);
  expect(toScreen(nearer, size, u, v)).toEqual({ x: expect.closeTo(100), y: expect.closeTo(450) });
  const beside = panned(view, 30, -10);
  expect(toScreen(beside, size, u, v)).toEqual({ x: expect.closeTo(130), y: expect.closeTo(440) });
});

test("a view that fits shows nearly everything, and levels keep cells between their pixels and twice that", () => {
  const uv = Float32Array.from({ length: 2000 }, (_, i) => Math.sin(i * 12.9898) * 3);
  const size = { width: 800, height: 500 };
  const view = fitting(uv, size);
  const low = fromScreen(view, size, 0, 500);
  expect(low.u).toBeLessThanOrEqual(-2.9);
  expect(low.v).toBeLessThanOrEqual(-2.9);
  for (const scale of [20, 33, 100, 4e5]) {
    const cell = scale * 2 ** -levelFor(scale, 28);
    expect(cell).toBeGreaterThanOrEqual(32);
    expect(cell).toBeLessThan(64);
  }
});
