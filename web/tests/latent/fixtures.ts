/** What fixtures.py wrote, typed, and helpers that the tests share. */

import { expect } from "vitest";
import type { WireClasses } from "../../src/latent/classes";
import { type WireConcept, conceptFrom } from "../../src/latent/concepts";
import { type Point, pointFrom } from "../../src/latent/linear";
import type { Strength, Strengths } from "../../src/latent/moves";
import type { Kind } from "../../src/latent/paths";
import json from "./fixtures.json";

type Rows = number[][];
type Asked = Record<string, number | number[]>;

export type Fixtures = {
  concepts: WireConcept[];
  slopes: {
    name: string; points: Rows; ways: Rows; gradients: Rows; readings: number[]; shown: number[] | null;
  }[];
  moves: { points: Rows; strengths: Asked; keep: Asked; moved: Rows; looked: Rows }[];
  paths: { kind: Kind; points: Rows; frames: number; path: Rows }[];
  places: [number, number, number[]][];
  tails: [number, number][];
  classes: {
    wire: WireClasses; points: Rows; scores: Rows; chances: Rows;
    changes: { source: string; target: string; strength: number; moved: Rows }[];
  };
  learning: { codes: Rows; shows: boolean[]; judged: WireConcept; whole: WireConcept };
  geodesics: { first: Rows; second: Rows; a: Rows; b: Rows; bent: number[]; straight: number[]; middles: Rows };
};

export const fixtures = json as unknown as Fixtures;
export const concepts = fixtures.concepts.map(conceptFrom);

export const pointsFrom = (rows: Rows): Point[] => rows.map(pointFrom);

export const strengthsFrom = (asked: Asked): Strengths => new Map<string, Strength>(Object.entries(asked));

/** Every number as close as float32 allows, which the Python answers are rounded to. */
export function expectClose(
  found: readonly ArrayLike<number>[], wanted: readonly ArrayLike<number>[], error = 2e-6,
): void {
  expect(found.length).toBe(wanted.length);
  wanted.forEach((row, i) => {
    expect(found[i]!.length).toBe(row.length);
    for (let j = 0; j < row.length; j++) {
      const away = Math.abs(found[i]![j]! - row[j]!) / Math.max(1, Math.abs(row[j]!));
      expect(away, `row ${i}, entry ${j}: ${found[i]![j]} for ${row[j]}`).toBeLessThanOrEqual(error);
    }
  });
}
