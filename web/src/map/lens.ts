/** Decodes what is under the pointer: the newest wish always wins, older ones are never begun. */

import type { Point } from "../latent/linear";
import { timed } from "../lib/timing";

export type Wish = { readonly z: Point; readonly asked: number };

export class Lens {
  readonly #decode: (z: Point) => Promise<Uint8Array>;
  readonly #show: (pixels: Uint8Array, wish: Wish) => void;
  #next: Wish | null = null;
  #busy = false;

  constructor(decode: (z: Point) => Promise<Uint8Array>, show: (pixels: Uint8Array, wish: Wish) => void) {
    this.#decode = decode;
    this.#show = show;
  }

  /** Ask for the picture at `z`; `asked` is when the pointer moved, ms of the page's clock. */
  look(z: Point, asked: number): void {
    this.#next = { z, asked };
    if (!this.#busy) void this.#work();
  }

  async #work(): Promise<void> {
    this.#busy = true;
    while (this.#next) {
      const wish = this.#next;
      this.#next = null;
      try {
        this.#show(await this.#decode(wish.z), wish);
        timed("lens", wish.asked);
      } catch {
        // Superseded, or the model is not there yet: the next move asks again.
      }
    }
    this.#busy = false;
  }
}
