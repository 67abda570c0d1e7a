/** What the page asks of whoever has the model: a server, or the file itself. */

import type { Classes, WireClasses } from "../latent/classes";
import type { Concept, WireConcept } from "../latent/concepts";
import type { Point } from "../latent/linear";
import type { Plane } from "../latent/planes";
import type { WirePrincipal } from "../latent/wire";
import type { Label } from "../worker";

/** An attribute of the test images: one of some words, or a number where `words` is null. */
export type AttributeFact = { name: string; words: string[] | null };

/** The facts of a space as JSON; what each means stands with `space_facts` in morphospace/export/page.py. */
export type Facts = {
  version: string;
  fingerprint: string;
  name: string;
  recipe: string;
  shape: [number, number, number];
  latent_dim: number;
  parameters: number;
  seed: number;
  resize: "crop" | "pad" | "fit";
  licence: string | null;
  has_prior: boolean;
  /** The labels that the model is told beside a picture or a place; most models are told none. */
  told: string[];
  /** Which of them it is given to begin with. */
  given: string | null;
  test: Record<string, number>;
  command: string | null;
  label_names: string[] | null;
  /** What is known of each test image beside its label. */
  attributes: AttributeFact[];
  has_errors: boolean;
  count: number;
  plane: { origin: number[]; axes: number[][]; names: string[] };
  principal: WirePrincipal;
  /** Draws of a sampler that was fitted to codes, float32 row by row; null where there is none. */
  draws: string | null;
  classes: WireClasses | null;
  concepts: WireConcept[];
  writable?: boolean;
  /** Whether the server hands the model over; larger ones it keeps. */
  model?: boolean;
};

/** The codes of the test images, `codes[i * d + j]`, with a label and a reconstruction error (nats) for each. */
export type Reference = {
  count: number;
  codes: Float32Array;
  labels: Int32Array | null;
  errors: Float32Array | null;
};

/** A picture as the space takes it, and where it lies. */
export type Encoding = { mean: Point; logVar: Point | null; pixels: Uint8Array };

export const CELLS = 8;

/** Which tile of a map. */
export type TileAt = { level: number; column: number; row: number };

export interface Backend {
  readonly facts: Facts;
  /** Whether there is no server: everything is computed here. */
  readonly offline: boolean;
  /** Whether pictures are decoded here. */
  readonly local: boolean;
  /** Settles when that is known. */
  readonly ready: Promise<void>;
  reference(): Promise<Reference>;
  /** An attribute of each test image, by its place among the facts: numbers, or places of words; NaN where unknown. */
  attribute(index: number): Promise<Float64Array>;
  /** Pixels (count, H, W, C) at latents; of requests with `latest` only the newest needs an answer. */
  decode(points: readonly Point[], label: Label, latest?: boolean): Promise<Uint8Array>;
  /** The same as numbers in [0, 1]. */
  decodeFloats(points: readonly Point[], label: Label): Promise<Float32Array>;
  /** Decode and encode again: what the space sees in its own pictures. */
  look(points: readonly Point[], label: Label): Promise<Point[]>;
  /** CELLS x CELLS decoded cells as one picture; null if it is not wanted any more. */
  tile(plane: Plane, at: TileAt, label: Label, signal: AbortSignal): Promise<Uint8Array | null>;
  encode(file: Blob, label: Label): Promise<Encoding>;
  geodesic(points: readonly Point[], frames: number, label: Label): Promise<Point[]>;
  /** The test image itself, where its data is at hand. */
  original(index: number): Promise<Uint8Array | null>;
  learn(name: string, positive: readonly number[], negative: readonly number[] | null): Promise<Concept>;
  /** Keep a concept beyond this visit; says where. */
  keep(concept: Concept): Promise<"folder" | "browser">;
  forget(name: string): Promise<void>;
}

/** What whoever has the model could not do; `code` is the server's, or "gone" where there is none any more. */
export class BackendError extends Error {
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

export type { Classes, Concept, Label };

/** The latents at the middles of a tile's cells, row by row from the top left; as the server lays them out. */
export function cellsOf(plane: Plane, { level, column, row }: TileAt, shape: Facts["shape"]): Point[] {
  const across = 2 ** -level;
  const down = (across * shape[0]) / shape[1];
  const points: Point[] = [];
  for (let j = 0; j < CELLS; j++) {
    const v = (row * CELLS + CELLS - j - 0.5) * down;
    for (let i = 0; i < CELLS; i++) {
      const u = (column * CELLS + i + 0.5) * across;
      points.push(plane.origin.map((o, k) => o + u * plane.right[k]! + v * plane.up[k]!));
    }
  }
  return points;
}

/** Pictures (CELLS * CELLS, H, W, C) as one picture (CELLS * H, CELLS * W, C). */
export function joined(cells: Uint8Array, [height, width, channels]: Facts["shape"]): Uint8Array {
  const line = width * channels;
  const whole = new Uint8Array(cells.length);
  for (let j = 0; j < CELLS; j++) {
    for (let i = 0; i < CELLS; i++) {
      const cell = (j * CELLS + i) * height * line;
      for (let y = 0; y < height; y++) {
        whole.set(cells.subarray(cell + y * line, cell + (y + 1) * line), ((j * height + y) * CELLS + i) * line);
      }
    }
  }
  return whole;
}

export function flat(points: readonly Point[]): Float32Array {
  const d = points[0]?.length ?? 0;
  const all = new Float32Array(points.length * d);
  points.forEach((point, i) => all.set(point, i * d));
  return all;
}

export const rows = (values: ArrayLike<number>, d: number): Point[] =>
  Array.from({ length: values.length / d }, (_, i) =>
    Float64Array.from({ length: d }, (_, j) => values[i * d + j]!),
  );
