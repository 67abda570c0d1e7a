/** Which tiles a view needs, and those that are there: decoded afresh at each level of zoom. */

import { CELLS } from "../lib/backend";
import { type Size, type View, fromScreen } from "./view";

export type Tile<Texture> = {
  readonly level: number;
  readonly column: number;
  readonly row: number;
  /** In the plane's coordinates: the left and lower edges, and the sides. */
  readonly u: number;
  readonly v: number;
  readonly width: number;
  readonly height: number;
  texture: Texture | null;
  /** When it was there, ms; new tiles fade in. */
  since: number;
  used: number;
  /** When asking for it failed, ms. */
  failed: number;
};

type Fetch = (level: number, column: number, row: number, signal: AbortSignal) => Promise<Uint8Array | null>;

const KEPT = 240;
const AT_ONCE = 4;
const ANCESTORS = 5;
/** So long, ms, a tile that failed is not asked for again. */
const AGAIN = 3000;

/** The level at which a cell is at least as wide on the screen as it has pixels, and less than twice that. */
export function levelFor(scale: number, pixels: number): number {
  return Math.min(40, Math.max(-8, Math.floor(Math.log2(scale / Math.min(96, Math.max(32, pixels))))));
}

export class Tiles<Texture> {
  readonly #tiles = new Map<string, Tile<Texture>>();
  readonly #waiting = new Map<string, AbortController>();
  #queue: Tile<Texture>[] = [];
  #clock = 0;

  readonly #fetch: Fetch;
  readonly #upload: (pixels: Uint8Array) => Texture;
  readonly #free: (texture: Texture) => void;
  readonly #changed: () => void;
  readonly #tell: (error: unknown) => void;
  /** Height over width of an image. */
  readonly #form: number;
  readonly #pixels: number;

  constructor(
    [height, width]: readonly [number, number, number],
    fetch: Fetch,
    upload: (pixels: Uint8Array) => Texture,
    free: (texture: Texture) => void,
    changed: () => void,
    tell: (error: unknown) => void,
  ) {
    this.#tell = tell;
    this.#fetch = fetch;
    this.#upload = upload;
    this.#free = free;
    this.#changed = changed;
    this.#form = height / width;
    this.#pixels = width;
  }

  /** Whether everything that the last view needed is there. */
  get idle(): boolean {
    return this.#waiting.size === 0 && this.#queue.length === 0;
  }

  /** Forget everything: the plane has changed. */
  clear(): void {
    for (const controller of this.#waiting.values()) controller.abort();
    this.#waiting.clear();
    this.#queue = [];
    for (const tile of this.#tiles.values()) if (tile.texture) this.#free(tile.texture);
    this.#tiles.clear();
  }

  #tile(level: number, column: number, row: number): Tile<Texture> {
    const key = `${level}/${column}/${row}`;
    let tile = this.#tiles.get(key);
    if (!tile) {
      const width = CELLS * 2 ** -level;
      const height = width * this.#form;
      tile = { level, column, row, u: column * width, v: row * height, width, height, texture: null, since: 0, used: 0, failed: -AGAIN };
      this.#tiles.set(key, tile);
    }
    tile.used = this.#clock;
    return tile;
  }

  /** What to draw for a view, coarse ones first; what is missing is asked for, nearest to the middle first. */
  visible(view: View, size: Size): Tile<Texture>[] {
    this.#clock++;
    const level = levelFor(view.scale, this.#pixels);
    const width = CELLS * 2 ** -level;
    const height = width * this.#form;
    const low = fromScreen(view, size, 0, size.height);
    const high = fromScreen(view, size, size.width, 0);
    const wanted: Tile<Texture>[] = [];
    for (let row = Math.floor(low.v / height); row * height < high.v; row++) {
      for (let column = Math.floor(low.u / width); column * width < high.u; column++) {
        wanted.push(this.#tile(level, column, row));
      }
    }
    const below = new Set<Tile<Texture>>();
    for (const tile of wanted) {
      if (tile.texture && tile.since < performance.now() - 250) continue;
      for (let up = 1; up <= ANCESTORS; up++) {
        const key = `${level - up}/${tile.column >> up}/${tile.row >> up}`;
        const ancestor = this.#tiles.get(key);
        if (!ancestor?.texture) continue;
        ancestor.used = this.#clock;
        below.add(ancestor);
        break;
      }
    }
    const missing = wanted.filter((tile) => !tile.texture && performance.now() - tile.failed > AGAIN);
    const away = (tile: Tile<Texture>): number =>
      Math.hypot(tile.u + width / 2 - view.u, tile.v + height / 2 - view.v);
    this.#queue = missing.sort((a, b) => away(a) - away(b));
    const needed = new Set(missing);
    for (const [key, controller] of this.#waiting) {
      if (!needed.has(this.#tiles.get(key)!)) {
        controller.abort();
        this.#waiting.delete(key);
      }
    }
    this.#next();
    this.#shrink();
    return [...[...below].sort((a, b) => a.level - b.level), ...wanted.filter((tile) => tile.texture)];
  }

  #next(): void {
    while (this.#waiting.size < AT_ONCE) {
      const tile = this.#queue.shift();
      if (!tile) return;
      const key = `${tile.level}/${tile.column}/${tile.row}`;
      if (this.#waiting.has(key) || tile.texture) continue;
      const controller = new AbortController();
      this.#waiting.set(key, controller);
      this.#fetch(tile.level, tile.column, tile.row, controller.signal)
        .then((pixels) => {
          if (!pixels || controller.signal.aborted) return;
          tile.texture = this.#upload(pixels);
          tile.since = performance.now();
        })
        .catch((error: unknown) => {
          if (controller.signal.aborted) return;
          tile.failed = performance.now();
          this.#tell(error);
        })
        .finally(() => {
          if (this.#waiting.get(key) === controller) this.#waiting.delete(key);
          this.#next();
          this.#changed();
        });
    }
  }

  /** Let go of the tiles that were not needed for longest. */
  #shrink(): void {
    if (this.#tiles.size <= KEPT) return;
    const old = [...this.#tiles].sort(([, a], [, b]) => a.used - b.used).slice(0, this.#tiles.size - KEPT);
    for (const [key, tile] of old) {
      if (tile.used === this.#clock || this.#waiting.has(key)) continue;
      if (tile.texture) this.#free(tile.texture);
      this.#tiles.delete(key);
    }
  }
}
