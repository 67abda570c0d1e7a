/** Fields: what is known of a value from place to place; mirrors morphospace/latent/fields.py. */

import { type Point, accumulate, dot, zeros } from "./linear";
import { float32From, toBase64 } from "./wire";

const SHARPNESS = 4; // of the weights, a squared width

/**
 * K places with what is known of a value v around each: `places`, `slopes` (dz/dv) and `gradients` (dv/dz) are (K, d)
 * row by row; `widths` (K,) squared distances; v is read as offsets + gradients · z.
 */
export type Field = {
  readonly places: Float32Array;
  readonly widths: Float32Array;
  readonly slopes: Float32Array;
  readonly gradients: Float32Array;
  readonly offsets: Float32Array;
};

export type WireField = { [part in keyof Field]: string };

export const fieldFrom = (wire: WireField): Field => ({
  places: float32From(wire.places),
  widths: float32From(wire.widths),
  slopes: float32From(wire.slopes),
  gradients: float32From(wire.gradients),
  offsets: float32From(wire.offsets),
});

export const fieldToWire = (field: Field): WireField => ({
  places: toBase64(field.places),
  widths: toBase64(field.widths),
  slopes: toBase64(field.slopes),
  gradients: toBase64(field.gradients),
  offsets: toBase64(field.offsets),
});

/** Slope, gradient and reading at a code: means over places, weighted by exp(-4 |z - c|^2 / w). */
export function fieldAt(field: Field, z: Point): { slope: Point; gradient: Point; value: number } {
  const nearness = Float64Array.from(field.widths, (width, k) => {
    let squared = 0;
    for (let j = 0; j < z.length; j++) squared += (z[j]! - field.places[k * z.length + j]!) ** 2;
    return (-SHARPNESS * squared) / width;
  });
  const nearest = nearness.reduce((most, value) => Math.max(most, value), -Infinity);
  const weights = nearness.map((value) => Math.exp(value - nearest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const [slope, gradient] = [zeros(z.length), zeros(z.length)];
  let offset = 0;
  weights.forEach((weight, k) => {
    const share = weight / total;
    if (share === 0) return; // most places are too far away to count
    accumulate(slope, row(field.slopes, k, z.length), share);
    accumulate(gradient, row(field.gradients, k, z.length), share);
    offset += share * field.offsets[k]!;
  });
  return { slope, gradient, value: offset + dot(gradient, z) };
}

/** The least and the largest value at its places: beyond them it knows no way. */
export function spanOf(field: Field): { low: number; high: number } {
  const size = field.places.length / field.widths.length;
  let [low, high] = [Infinity, -Infinity];
  field.offsets.forEach((offset, k) => {
    const value = offset + dot(row(field.gradients, k, size), row(field.places, k, size));
    [low, high] = [Math.min(low, value), Math.max(high, value)];
  });
  return { low, high };
}

const row = (values: Float32Array, k: number, size: number): Float32Array =>
  values.subarray(k * size, (k + 1) * size);
