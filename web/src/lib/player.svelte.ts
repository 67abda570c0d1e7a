/** The film of a path: its frames, and which of them is shown. */

import type { Point } from "../latent/linear";
import { pathLength } from "../latent/paths";
import type { Kind } from "./address";
import type { App } from "./app.svelte";
import { factorFor, gif, png, save, strip } from "./pictures";

export type FilmFrames = {
  points: Point[];
  frames: Uint8Array[];
  length: number;
  evenness: number;
  /** What it is a film of; the document may be ahead of it. */
  kind: Kind;
  path: readonly (readonly number[])[];
};

export class Player {
  readonly #app: App;
  film = $state.raw<FilmFrames | null>(null);
  busy = $state(false);
  playing = $state(false);
  /** Which frame is shown. */
  frame = $state(0);
  /** Seconds one way. */
  seconds = $state(2);
  #timer = 0;
  #forward = true;

  constructor(app: App) {
    this.#app = app;
    // Each by itself: other changes of the document do not make it anew.
    const path = $derived(app.document.path);
    const kind = $derived(app.document.kind);
    const frames = $derived(app.document.frames);
    // The film follows the path, a little behind while way-points are dragged.
    $effect(() => {
      void [kind, frames, app.given];
      if (path.length < 2) {
        this.stop();
        this.film = null;
        this.busy = false;
        return;
      }
      let stale = false;
      const later = setTimeout(() => void this.#make(() => stale), 120);
      return () => {
        stale = true;
        clearTimeout(later);
      };
    });
  }

  async #make(stale: () => boolean): Promise<void> {
    const app = this.#app;
    const { kind, path } = app.document;
    this.busy = true;
    try {
      const points = await app.pathPoints();
      const all = await app.decode(points);
      if (stale()) return;
      const size = all.length / points.length;
      const frames = points.map((_, i) => all.subarray(i * size, (i + 1) * size));
      const { length, evenness } = pathLength(frames.map((frame) => Float32Array.from(frame, (value) => value / 255)));
      this.film = { points, frames, length, evenness, kind, path };
      this.frame = Math.min(this.frame, frames.length - 1);
    } catch (error) {
      if (!stale()) app.tell(error);
    } finally {
      if (!stale()) this.busy = false;
    }
  }

  play(): void {
    if (!this.film || this.playing) return;
    this.playing = true;
    let last = performance.now();
    const step = (now: number): void => {
      if (!this.playing || !this.film) return;
      const count = this.film.frames.length;
      const each = (1000 * this.seconds) / count;
      if (now - last >= each) {
        const gone = Math.floor((now - last) / each);
        last += gone * each;
        for (let i = 0; i < gone; i++) {
          if (this.frame >= count - 1) this.#forward = false;
          if (this.frame <= 0) this.#forward = true;
          this.frame += this.#forward ? 1 : -1;
        }
      }
      this.#timer = requestAnimationFrame(step);
    };
    this.#timer = requestAnimationFrame(step);
  }

  stop(): void {
    this.playing = false;
    cancelAnimationFrame(this.#timer);
  }

  #name({ kind }: FilmFrames): string {
    return `${this.#app.facts.name}-${kind}`;
  }

  saveGif(): void {
    if (!this.film) return;
    const { shape } = this.#app.facts;
    save(gif(this.film.frames, shape, this.seconds, factorFor(shape, 224), this.#text(this.film)), `${this.#name(this.film)}.gif`);
  }

  async saveStrip(): Promise<void> {
    if (!this.film) return;
    const { film } = this;
    const { shape } = this.#app.facts;
    save(await png(strip(film.frames, shape, factorFor(shape, 112)), this.#text(film)), `${this.#name(film)}.png`);
  }

  /** What a saved film carries, so that it can be made again. */
  #text(film: FilmFrames): Record<string, string> {
    const latent = (z: Iterable<number>): string => [...z].map((value) => Math.fround(value)).join(" ");
    return this.#app.text({
      path: film.kind,
      frames: String(film.frames.length),
      "way-points": film.path.map(latent).join("; "),
      latents: film.points.map(latent).join("; "),
    });
  }
}
