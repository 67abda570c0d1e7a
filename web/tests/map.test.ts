import { expect, test, vi } from "vitest";
import { densityAt, densityOf } from "../src/map/density";
import { Tiles } from "../src/map/tiles";
import { FARTHEST, zoomed } from "../src/map/view";

const SIZE = { width: 400, height: 300 };

test("there is data where points lie, however far out", () => {
  const uv = Float32Array.from({ length: 4000 }, (_, i) => 30 * Math.sin(i) + (i % 2 ? 5 : -5));
  const density = densityOf(uv, null);
  for (let i = 0; i < 200; i += 2) expect(densityAt(density, uv[i]!, uv[i + 1]!)).toBeGreaterThan(0.2);
});

test("a few places far out leave the others sharp", () => {
  const uv = Float32Array.from({ length: 20000 }, (_, i) => (i < 4 ? 1000 : Math.sin(i)));
  expect(densityOf(uv, null).half).toBe(8);
});

test("zooming out never zooms in", () => {
  const far = { u: 0, v: 0, scale: FARTHEST / 3 };
  expect(zoomed(far, SIZE, 0.5).scale).toBe(far.scale);
  expect(zoomed(far, SIZE, 2).scale).toBeCloseTo(2 * far.scale);
});

test("a tile that fails is told of, and is not asked for at every frame", async () => {
  const fetch = vi.fn(() => Promise.reject(new Error("gone")));
  const tell = vi.fn();
  const view = { u: 0, v: 0, scale: 100 };
  const tiles: Tiles<number> = new Tiles([28, 28, 1], fetch, () => 0, () => undefined, () => tiles.visible(view, SIZE), tell);
  tiles.visible(view, SIZE);
  await vi.waitFor(() => expect(tiles.idle).toBe(true));
  const asked = fetch.mock.calls.length;
  expect(tell).toHaveBeenCalledTimes(asked);
  for (let frame = 0; frame < 10; frame++) tiles.visible(view, SIZE);
  await new Promise((done) => setTimeout(done, 20));
  expect(fetch).toHaveBeenCalledTimes(asked);
});
