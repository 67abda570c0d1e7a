/** Concepts: named directions with the evidence for them; mirrors morphospace/latent/concepts.py. */

import { type Field, type WireField, fieldAt, fieldFrom, fieldToWire } from "./fields";
import { type Point, dot, pointFrom, scale } from "./linear";

/** A named direction: strength 1 moves the average negative to the average positive. See the Python class. */
export type Concept = {
  readonly name: string;
  readonly method: string;
  readonly source: string;
  readonly positives: number;
  readonly negatives: number;
  readonly auc: number | null;
  readonly aucInterval: readonly [number, number] | null;
  /** Of a number, with the place along the direction; null for yes and no. */
  readonly correlation: number | null;
  readonly stability: number | null;
  readonly heldOut: boolean;
  /** How far strength 1 moves the value where edits follow the field, else the linear reading. */
  readonly distance: number;
  readonly offset: number;
  readonly origin: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
  readonly direction: Point;
  readonly normal: Point | null;
  readonly field: Field | null;
};

/** A concept's fact as JSON. */
export type WireConcept = {
  name: string;
  method: string;
  source: string;
  positives: number;
  negatives: number;
  auc: number | null;
  auc_interval: number[] | null;
  correlation: number | null;
  stability: number | null;
  held_out: boolean;
  distance: number;
  offset: number;
  origin: Record<string, string>;
  follows: boolean;
  of_number: boolean;
  warnings: string[];
  direction: number[];
  normal: number[] | null;
  field: WireField | null;
};

/** What `at` knows of a place: the way of strength 1, how the reading changes, and the reading; both in strengths. */
export type Slope = { readonly way: Point; readonly gradient: Point; readonly reading: number };

export function conceptFrom(wire: WireConcept): Concept {
  const { auc_interval, held_out, follows: _follows, of_number: _number, direction, normal, field, ...same } = wire;
  return {
    ...same,
    aucInterval: auc_interval === null ? null : [auc_interval[0]!, auc_interval[1]!],
    heldOut: held_out,
    direction: pointFrom(direction),
    normal: normal === null ? null : pointFrom(normal),
    field: field === null ? null : fieldFrom(field),
  };
}

export function conceptToWire(concept: Concept): WireConcept {
  const { aucInterval, heldOut, origin, warnings, direction, normal, field, ...same } = concept;
  return {
    ...same,
    auc_interval: aucInterval === null ? null : [...aucInterval],
    held_out: heldOut,
    origin: { ...origin },
    follows: isFollowing(concept),
    of_number: isOfNumber(concept),
    warnings: [...warnings],
    direction: [...direction],
    normal: normal === null ? null : [...normal],
    field: field === null ? null : fieldToWire(field),
  };
}

/** Whether edits follow the field, rather than one direction. */
export const isFollowing = (concept: Concept): boolean => followed(concept) !== null;

/** Whether it is of a number, not of yes and no. */
export const isOfNumber = (concept: Concept): boolean => concept.correlation !== null;

/** The field that edits follow; null where they go along the direction. */
export const followed = (concept: Concept): Field | null =>
  concept.method.startsWith("local") ? concept.field : null;

export function at(concept: Concept, z: Point): Slope {
  const field = followed(concept);
  if (field === null) return linear(concept, z);
  const { slope, gradient, value } = fieldAt(field, z);
  return {
    way: scale(slope, concept.distance),
    gradient: scale(gradient, 1 / concept.distance),
    reading: value / concept.distance,
  };
}

/** The same of its one direction and its linear reading. */
export function linear(concept: Concept, z: Point): Slope {
  const { direction } = concept;
  // A reading that strength would lower is no reading of it.
  const fits = concept.normal !== null && dot(concept.normal, direction) > 0;
  const [normal, offset] = fits ? [concept.normal!, concept.offset] : [direction, 0];
  const moved = dot(normal, direction);
  return { way: direction, gradient: scale(normal, 1 / moved), reading: (dot(normal, z) + offset) / moved };
}

/** What a code seems to show: of a number its value, of yes and no the chance; NaN without a field. */
export function read(concept: Concept, z: Point): number {
  if (concept.field === null) return NaN;
  const { value } = fieldAt(concept.field, z);
  return isOfNumber(concept) ? value : Math.min(Math.max(value, 0), 1);
}

/** The concept called `name`; throws where there is none. */
export function conceptNamed(concepts: readonly Concept[], name: string): Concept {
  const found = concepts.find((concept) => concept.name === name);
  if (found !== undefined) return found;
  const known = concepts.map((concept) => `"${concept.name}"`).join(", ");
  throw new Error(`This space has no concept "${name}". ${known ? `It has ${known}.` : "It has none; learn one."}`);
}
