/** Numbers on the wire: base64 of little-endian bytes, row by row. Every machine with a browser is little-endian. */

import { type Point, pointFrom } from "./linear";

export function bytesFrom(text: string): ArrayBuffer {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes.buffer;
}

export const int32From = (text: string): Int32Array => new Int32Array(bytesFrom(text));
export const float32From = (text: string): Float32Array => new Float32Array(bytesFrom(text));
export const float64From = (text: string): Float64Array => new Float64Array(bytesFrom(text));

export function toBase64(values: Float32Array | Float64Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const pieces: string[] = [];
  // In pieces: one call with all bytes as its arguments outgrows the stack.
  for (let i = 0; i < bytes.length; i += 4096) pieces.push(String.fromCharCode(...bytes.subarray(i, i + 4096)));
  return btoa(pieces.join(""));
}

/** The principal axes of a space's codes, most spread first; `axes` are unit vectors. */
export type Principal = { readonly mean: Point; readonly axes: readonly Point[]; readonly deviations: Point };
export type WirePrincipal = { mean: number[]; axes: number[][]; deviations: number[] };

export const principalFrom = (wire: WirePrincipal): Principal => ({
  mean: pointFrom(wire.mean),
  axes: wire.axes.map(pointFrom),
  deviations: pointFrom(wire.deviations),
});
