import { expect, test } from "vitest";
import { at, conceptFrom, conceptToWire, isFollowing, isOfNumber, read } from "../../src/latent/concepts";
import { type Point, pointFrom } from "../../src/latent/linear";
import { broughtBack, move, movedWithLook } from "../../src/latent/moves";
import { concepts, expectClose, fixtures, pointsFrom, strengthsFrom } from "./fixtures";

const named = (name: string) => concepts.find((concept) => concept.name === name)!;

test("a concept comes from the wire and goes back unchanged", () => {
  for (const [i, wire] of fixtures.concepts.entries()) {
    const concept = conceptFrom(wire);
    expect(conceptToWire(concept)).toEqual(wire);
    expect([isFollowing(concept), isOfNumber(concept)]).toEqual([wire.follows, wire.of_number]);
    expect(concept).toEqual(concepts[i]);
  }
});

test("ways, gradients and readings are those of Python", () => {
  for (const { name, points, ways, gradients, readings, shown } of fixtures.slopes) {
    const slopes = pointsFrom(points).map((z) => at(named(name), z));
    expectClose(slopes.map(({ way }) => way), ways);
    expectClose(slopes.map(({ gradient }) => gradient), gradients);
    expectClose([slopes.map(({ reading }) => reading)], [readings]);
    const seen = pointsFrom(points).map((z) => read(named(name), z));
    if (shown === null) expect(seen).toEqual([NaN, NaN, NaN]);
    else expectClose([seen], [shown]);
  }
});

test("moves along directions and fields, others kept, are those of Python", () => {
  for (const { points, strengths, keep, moved } of fixtures.moves) {
    expectClose(move(pointsFrom(points), concepts, strengthsFrom(strengths), strengthsFrom(keep)), moved);
  }
});

test("a second look adds what Python adds", async () => {
  const away = [0.1, -0.2, 0, 0.05, 0.1];
  const look = async (points: Point[]) =>
    points.map((z) => z.map((value, j) => 0.8 * value + away[j]! * z[z.length - 1 - j]!));
  for (const { points, strengths, keep, looked } of fixtures.moves) {
    const [asked, held] = [strengthsFrom(strengths), strengthsFrom(keep)];
    expectClose(await movedWithLook(pointsFrom(points), concepts, asked, held, look), looked, 1e-5);
  }
});

test("what is kept may be given by name, and is brought back by what a change of class did", () => {
  const points = pointsFrom(fixtures.moves[0]!.points);
  const strengths = new Map([["tall", 1]]);
  const held = new Map([["turn", 0]]);
  expect(move(points, concepts, strengths, ["turn"])).toEqual(move(points, concepts, strengths, held));
  const moved = move(points, concepts, strengths);
  const back = broughtBack(points, moved, concepts, ["tall"]).get("tall") as Float64Array;
  expectClose([back], [[-1, -1, -1, -1]], 1e-9);
});

test("a move leaves its input as it was, and no strengths leave the points", () => {
  const points = [pointFrom([1, 2, 3, 4, 5])];
  move(points, concepts, new Map([["turn", 1], ["tall", 2]]));
  expect(points).toEqual([pointFrom([1, 2, 3, 4, 5])]);
  expect(move(points, concepts, new Map())).toEqual(points);
  expect(move([], concepts, new Map([["turn", 1]]))).toEqual([]);
});

test("a move says what is wrong", () => {
  const points = [pointFrom([0, 0, 0, 0, 0])];
  const twin = { ...named("tall"), name: "twin" };
  const moving = (strengths: [string, number][], keep: string[] = []) => () =>
    move(points, [...concepts, twin], new Map(strengths), keep);
  expect(moving([["constructor", 1]])).toThrow('no concept "constructor". It has "turn"');
  expect(moving([["tall", 1]], ["smile"])).toThrow('no concept "smile"');
  expect(moving([["tall", NaN]])).toThrow('"tall": expected a finite strength');
  expect(moving([["tall", 1]], ["tall"])).toThrow("cannot be kept too");
  expect(moving([["tall", 1]], ["twin"])).toThrow('"tall", "twin" are too much alike');
});
