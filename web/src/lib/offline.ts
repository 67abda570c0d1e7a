/** The space inside the file itself: no server, no network. */

import { type Concept, conceptFrom } from "../latent/concepts";
import { geodesicThrough } from "../latent/geodesic";
import { learnConcept } from "../latent/learning";
import type { Point } from "../latent/linear";
import type { Plane } from "../latent/planes";
import { bytesFrom, float32From, int32From } from "../latent/wire";
import { type Backend, type Encoding, type Facts, type Label, type Reference, type TileAt, cellsOf, joined, rows } from "./backend";
import { Engine } from "./engine";
import { LocalModel } from "./local";

type Inside = Facts & { codes?: string; labels?: string };

/** Cells decoded at once: the picture under the pointer never waits for more than these. */
const PIECE = 16;

const text = (id: string): string => document.getElementById(id)?.textContent ?? "";
const binary = (id: string): ArrayBuffer => bytesFrom(text(id));

const unpacked = (id: string): Promise<ArrayBuffer> =>
  new Response(new Blob([binary(id)]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();

async function worker(): Promise<Worker> {
  const source = new Blob([await unpacked("worker")], { type: "text/javascript" });
  return new Worker(URL.createObjectURL(source));
}

export class Offline implements Backend {
  readonly facts: Inside;
  readonly offline = true;
  readonly local = true;
  readonly ready: Promise<void>;
  #model: Promise<LocalModel>;
  #tiles: Promise<unknown> = Promise.resolve();
  /** All attributes, one after the other; unpacked when the first is asked for. */
  #attributes: Promise<Float64Array> | null = null;

  private constructor(facts: Inside) {
    this.facts = facts;
    this.#model = this.#start();
    this.ready = this.#model.then(() => undefined);
  }

  /** Whether this page is a file with a space inside. */
  static here(): boolean {
    return document.getElementById("space") !== null;
  }

  static open(): Offline {
    return new Offline(JSON.parse(text("space")) as Inside);
  }

  async #start(): Promise<LocalModel> {
    const engine = new Engine(await worker());
    await engine.start(binary("runtime"));
    await engine.load("decoder", binary("decoder"));
    return new LocalModel(engine, this.facts, engine.load("encoder", binary("encoder")));
  }

  async reference(): Promise<Reference> {
    const { codes, labels } = this.facts;
    return {
      count: codes ? this.facts.count : 0,
      codes: codes ? float32From(codes) : new Float32Array(),
      labels: labels ? int32From(labels) : null,
      errors: null,
    };
  }

  async attribute(index: number): Promise<Float64Array> {
    this.#attributes ??= unpacked("attributes").then((all) => new Float64Array(all));
    const { count } = this.facts;
    return (await this.#attributes).subarray(index * count, (index + 1) * count);
  }

  decode = async (points: readonly Point[], label: Label): Promise<Uint8Array> =>
    (await this.#model).decode(points, label);
  decodeFloats = async (points: readonly Point[], label: Label): Promise<Float32Array> =>
    (await this.#model).decodeFloats(points, label);
  look = async (points: readonly Point[], label: Label): Promise<Point[]> => (await this.#model).look(points, label);
  encode = async (file: Blob, label: Label): Promise<Encoding> => (await this.#model).encode(file, label);

  tile(plane: Plane, at: TileAt, label: Label, signal: AbortSignal): Promise<Uint8Array | null> {
    // Tiles take turns, and are decoded in pieces: whatever a person waits for goes between.
    const made = this.#tiles.then(async () => {
      const cells = cellsOf(plane, at, this.facts.shape);
      const pieces: Uint8Array[] = [];
      for (let i = 0; i < cells.length; i += PIECE) {
        if (signal.aborted) return null;
        pieces.push(await this.decode(cells.slice(i, i + PIECE), label));
      }
      const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
      let done = 0;
      for (const piece of pieces) {
        all.set(piece, done);
        done += piece.length;
      }
      return joined(all, this.facts.shape);
    });
    this.#tiles = made.catch(() => undefined);
    return made;
  }

  geodesic = (points: readonly Point[], frames: number, label: Label): Promise<Point[]> =>
    geodesicThrough(points, frames, (some) => this.decodeFloats(some, label));

  async original(): Promise<null> {
    return null;
  }

  async learn(name: string, positive: readonly number[], negative: readonly number[] | null): Promise<Concept> {
    const { codes, count } = await this.reference();
    const all = rows(codes, this.facts.latent_dim);
    const [shows, lacks] = [new Set(positive), negative && new Set(negative)];
    const chosen = Array.from({ length: count }, (_, i) => i).filter((i) => shows.has(i) || (lacks?.has(i) ?? true));
    return learnConcept(
      name,
      chosen.map((i) => all[i]!),
      chosen.map((i) => shows.has(i)),
      { seed: this.facts.seed, others: this.facts.concepts.map(conceptFrom) },
    );
  }

  keep = async (): Promise<"browser"> => "browser";
  forget = async (): Promise<void> => undefined;
}

