import { expect, test } from "vitest";
import { HUES, OTHER, PALETTE, UNKNOWN, ramp, scaleOf } from "../src/lib/colours";
import { groupsOfLabels, groupsOfWords } from "../src/lib/groups";

const NAMED = { unknown: "unknown", others: (n: number) => `${n} other words` };
const places = (...values: number[]): Float64Array => Float64Array.from(values);

/** How a colour looks, after Björn Ottosson: equal distances look equally large. */
function oklab(rgb: readonly number[]): number[] {
  const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4)) as [number, number, number];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

test("the scale of numbers looks even, and grows lighter all along", () => {
  const seen = Array.from({ length: 17 }, (_, i) => oklab(ramp(i / 16)));
  const steps = seen.slice(1).map((one, i) => Math.hypot(...one.map((value, k) => value - seen[i]![k]!)));
  const mean = steps.reduce((a, b) => a + b) / steps.length;
  for (const step of steps) expect(Math.abs(step / mean - 1)).toBeLessThan(0.1);
  for (let i = 1; i < seen.length; i++) expect(seen[i]![0]!).toBeGreaterThan(seen[i - 1]![0]! + 0.02);
});

test("a scale has the ends of nearly all values, and says what lies beyond", () => {
  const many = Float64Array.from({ length: 1000 }, (_, i) => i);
  expect(scaleOf(many)).toMatchObject({ low: 10, high: 989, below: true, above: true, unknown: 0 });
  expect(scaleOf(places(3, NaN, 5, NaN, 4))).toMatchObject({ low: 3, high: 5, below: false, above: false, unknown: 2 });
  expect(scaleOf(places(1, 2, Infinity))).toMatchObject({ low: 1, high: 2, below: false, above: true, unknown: 0 });
});

test("a few that differ from all others are not lost beyond the ends", () => {
  const rare = Float64Array.from({ length: 1000 }, (_, i) => (i === 7 ? 1 : 0));
  expect(scaleOf(rare)).toMatchObject({ low: 0, high: 1, below: false, above: false });
});

test("a scale of nothing is one", () => {
  expect(scaleOf(places(NaN, NaN))).toMatchObject({ low: 0, high: 1, below: false, above: false, unknown: 2 });
  expect(scaleOf(places(4, 4))).toMatchObject({ low: 4, high: 4, unknown: 0 });
});

test("words have colours, the most common first; none for those that no image shows", () => {
  const found = groupsOfWords(places(2, 0, 2, NaN, 2, 0), ["ash", "beech", "oak"], NAMED);
  expect(found.list).toEqual([
    { name: "oak", tint: HUES[0], count: 3 },
    { name: "ash", tint: HUES[1], count: 2 },
    { name: "unknown", tint: UNKNOWN, count: 1 },
  ]);
  expect([...Array.from(found.of)]).toEqual([0, 1, 0, 2, 0, 1]);
});

test("of many words the most common have colours, all others are grey, and the legend says how many", () => {
  const words = Array.from({ length: 30 }, (_, i) => `word ${i}`);
  const all = words.flatMap((_, i) => new Array<number>(30 - i).fill(29 - i)); // the last is the most common
  const found = groupsOfWords(places(...all, NaN), words, NAMED);
  expect(found.list.map(({ name }) => name)).toEqual([...words.slice(21).reverse(), "21 other words", "unknown"]);
  expect(new Set(found.list.map(({ tint }) => tint.join())).size).toBe(11);
  expect(found.list.at(-2)).toMatchObject({ tint: OTHER, count: (21 * 22) / 2 });
  expect(found.list.reduce((sum, { count }) => sum + count, 0)).toBe(all.length + 1);
  all.forEach((place, i) => expect(found.of[i]).toBe(place > 20 ? 29 - place : 9));
  expect(found.of[all.length]).toBe(10);
});

test("a single word that is less common keeps its name", () => {
  const words = Array.from({ length: 10 }, (_, i) => `word ${i}`);
  const found = groupsOfWords(Float64Array.from({ length: 19 }, (_, i) => i % 10), words, NAMED);
  expect(found.list.at(-1)).toEqual({ name: "word 9", tint: OTHER, count: 1 });
});

test("labels keep their own colours, shown or not", () => {
  const found = groupsOfLabels(Int32Array.from([1, 1, 2]), ["a", "b", "c"]);
  expect(found.list.map(({ count }) => count)).toEqual([0, 2, 1]);
  expect(found.list.map(({ tint }) => tint)).toEqual(PALETTE.slice(0, 3));
});
