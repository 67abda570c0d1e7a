/** The page's side of the worker that computes the model. */

import type { Label, Part, Reply, Request } from "../worker";

type Wanted<Kind> = Request extends infer One ? (One extends { kind: Kind } ? Omit<One, "id" | "kind"> : never) : never;

export class Engine {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve: (reply: Reply) => void; reject: (error: Error) => void }>();
  #last = 0;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if ("error" in data) waiting?.reject(new Error(data.error));
      else waiting?.resolve(data);
    };
    worker.onerror = (event) => {
      const error = new Error(event.message || "the model's worker stopped");
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
  }

  #ask<Kind extends Request["kind"]>(kind: Kind, wanted: Wanted<Kind>, give: Transferable[] = []): Promise<Reply> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, kind, ...wanted }, give);
    });
  }

  async start(runtime: ArrayBuffer): Promise<void> {
    await this.#ask("start", { runtime }, [runtime]);
  }

  async load(part: Part, model: ArrayBuffer): Promise<void> {
    await this.#ask("load", { part, model }, [model]);
  }

  /** Pixels (count, H, W, C) at latents (count, d). */
  async decode(z: Float32Array, count: number, label: Label): Promise<Uint8Array> {
    const reply = await this.#ask("decode", { z, count, label, floats: false });
    return (reply as { pixels: Uint8Array }).pixels;
  }

  /** The same as numbers in [0, 1] before rounding. */
  async decodeFloats(z: Float32Array, count: number, label: Label): Promise<Float32Array> {
    const reply = await this.#ask("decode", { z, count, label, floats: true });
    return (reply as { values: Float32Array }).values;
  }

  /** The posterior of images (N, H, W, C) in [0, 1]. */
  async encode(
    images: Float32Array,
    shape: readonly [number, number, number, number],
    label: Label,
  ): Promise<{ mean: Float32Array; logVar: Float32Array | null }> {
    const reply = await this.#ask("encode", { images, shape, label });
    return reply as { mean: Float32Array; logVar: Float32Array | null };
  }
}
