import { expect, test } from "vitest";
import { changeClass, classChances, classesFrom, classScores } from "../../src/latent/classes";
import { conceptFrom } from "../../src/latent/concepts";
import { auc, aucInterval, mulberry32, quantile } from "../../src/latent/evidence";
import { type About, type Examples, learnConcept, learnFrom, warningsOf } from "../../src/latent/learning";
import { pointFrom } from "../../src/latent/linear";
import { concepts, expectClose, fixtures, pointsFrom } from "./fixtures";

const { codes: rows, shows, judged, whole } = fixtures.learning;
const codes = pointsFrom(rows);

test("classes score and change codes as in Python", () => {
  const { wire, points, scores, chances, changes } = fixtures.classes;
  const [classes, some] = [classesFrom(wire), pointsFrom(points)];
  expectClose(classScores(classes, some), scores);
  expectClose(classChances(classes, some), chances);
  for (const { source, target, strength, moved } of changes) {
    expectClose(changeClass(classes, some, source, target, strength), moved, 1e-5);
  }
});

test("without a source each code leaves its own class, and those of the target stay", () => {
  const { wire, points } = fixtures.classes;
  const [classes, some] = [classesFrom(wire), pointsFrom(points)];
  const own = classScores(classes, some).map((row) => wire.names[row.indexOf(Math.max(...row))]!);
  const moved = changeClass(classes, some, null, "8");
  own.forEach((name, n) => {
    expect(moved[n]).toEqual(name === "8" ? some[n] : changeClass(classes, [some[n]!], name, "8")[0]);
  });
  expect(() => changeClass(classes, some, "3", "4")).toThrow('no class "4"');
  expect(() => changeClass(classes, some, "3", "3")).toThrow("another class");
  expect(() => changeClass(classes, some, "3", "8", NaN)).toThrow("finite strength");
});

test("a concept learned in the page is the one that Python learns", () => {
  const found = [learnConcept("tall", codes, shows), learnFrom("tall", { codes, shows }, null)];
  [judged, whole].map(conceptFrom).forEach((wanted, i) => {
    const concept = found[i]!;
    expectClose([concept.direction, concept.normal!], [wanted.direction, wanted.normal!]);
    expectClose([[concept.offset, concept.distance, concept.auc!]], [[wanted.offset, wanted.distance, wanted.auc!]]);
    for (const key of ["name", "method", "positives", "negatives", "heldOut", "correlation"] as const) {
      expect(concept[key]).toEqual(wanted[key]);
    }
    // Other draws of the bootstrap than numpy's: alike, not equal.
    expect(Math.abs(concept.stability! - wanted.stability!)).toBeLessThan(0.03);
    expect(concept.aucInterval === null).toBe(wanted.aucInterval === null);
    wanted.aucInterval?.forEach((end, side) => expect(Math.abs(concept.aucInterval![side]! - end)).toBeLessThan(0.03));
  });
  expect(learnConcept("tall", codes, shows)).toEqual(found[0]);
});

test("few examples are all learned from, with a warning, and nothing to learn from is refused", () => {
  const few = codes.map((_, i) => i < 3);
  const concept = learnConcept("few", codes, few, { source: "picked", others: concepts });
  expect([concept.heldOut, concept.aucInterval, concept.positives, concept.source]).toEqual([false, null, 3, "picked"]);
  expect(concept.warnings[0]).toBe("learned from few images (3 against 137)");
  const learning = (name: string, examples: Examples, about: About = {}) => () =>
    learnFrom(name, examples, null, about);
  expect(learning("a=b", { codes, shows })).toThrow('without "="');
  expect(learning(" ", { codes, shows })).toThrow("Expected a name");
  expect(learning("all", { codes, shows: codes.map(() => true) })).toThrow("images that do not");
  const same = { codes: [codes[0]!, codes[0]!], shows: [true, false] };
  expect(learning("same", same)).toThrow("the same mean");
});

test("warnings are Python's sentences", () => {
  const base = { ...concepts[2]!, positives: 9, negatives: 9 };
  const weak = { ...base, name: "weak", auc: 0.6, stability: Math.cos(Math.PI / 6), direction: base.direction };
  expect(warningsOf(weak, [base])).toEqual([
    "hard to tell apart in this space (AUC 0.60; 0.5 is chance)",
    "unstable: other examples may turn it by 30 degrees",
    'nearly the same as "tall" (cosine 1.00)',
  ]);
});

test("evidence: ties count half, intervals hold, draws are of the seed", () => {
  expect(auc(pointFrom([2, 3]), pointFrom([1, 2]))).toBe(0.875);
  const [ones, others] = [pointFrom(Array.from({ length: 40 }, (_, i) => i + 5)), pointFrom([...Array(40).keys()])];
  const [low, high] = aucInterval(ones, others, 0);
  expect(0.4 < low && low < high && high < 0.8).toBe(true);
  expect(quantile(pointFrom([3, 1, 2]), 0.25)).toBe(1.5);
  const [first, second] = [mulberry32(7), mulberry32(7)];
  const drawn = Array.from({ length: 2000 }, first);
  expect(drawn).toEqual(Array.from({ length: 2000 }, second));
  expect(drawn.reduce((sum, value) => sum + value, 0) / 2000).toBeCloseTo(0.5, 1);
});
