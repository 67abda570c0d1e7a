/** What needs the model and no server: decoding, encoding, looking again. */

import type { Point } from "../latent/linear";
import { type Encoding, type Facts, type Label, flat, rows } from "./backend";
import type { Engine } from "./engine";
import { fitted } from "./pictures";

export class LocalModel {
  readonly #engine: Engine;
  readonly #facts: Facts;
  /** Settles when the encoder is there too; it is needed later than the decoder. */
  readonly #encoder: Promise<void>;

  constructor(engine: Engine, facts: Facts, encoder: Promise<void>) {
    this.#engine = engine;
    this.#facts = facts;
    this.#encoder = encoder;
  }

  decode = (points: readonly Point[], label: Label): Promise<Uint8Array> =>
    this.#engine.decode(flat(points), points.length, label);

  decodeFloats = (points: readonly Point[], label: Label): Promise<Float32Array> =>
    this.#engine.decodeFloats(flat(points), points.length, label);

  async #posterior(
    pixels: Uint8Array,
    count: number,
    label: Label,
  ): Promise<{ mean: Float32Array; logVar: Float32Array | null }> {
    await this.#encoder;
    return this.#engine.encode(Float32Array.from(pixels, (value) => value / 255), [count, ...this.#facts.shape], label);
  }

  async look(points: readonly Point[], label: Label): Promise<Point[]> {
    // What a person sees are whole grey levels, and it is them that the space reads.
    const pixels = await this.decode(points, label);
    const { mean } = await this.#posterior(pixels, points.length, label);
    return rows(mean, this.#facts.latent_dim);
  }

  async encode(file: Blob, label: Label): Promise<Encoding> {
    const pixels = await fitted(file, this.#facts.shape, this.#facts.resize);
    const { mean, logVar } = await this.#posterior(pixels, 1, label);
    return { mean: Float64Array.from(mean), logVar: logVar && Float64Array.from(logVar), pixels };
  }
}
