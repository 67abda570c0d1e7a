/** The space behind a Morphospace server; small models are decoded here all the same. */

import { type Concept, type WireConcept, conceptFrom } from "../latent/concepts";
import type { Point } from "../latent/linear";
import type { Plane } from "../latent/planes";
import { bytesFrom } from "../latent/wire";
import { type Backend, BackendError, CELLS, type Encoding, type Facts, type Label, type Reference, type TileAt, rows } from "./backend";
import { Engine } from "./engine";
import { LocalModel } from "./local";
import { canvasOf, png } from "./pictures";

const API = "api/v1";
/** One page is one client: of its pictures under the pointer only the newest counts. */
const LATEST = [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(16)).join("-"); // without https too
const RETRIES = 5;

const pause = (seconds: number): Promise<void> => new Promise((done) => setTimeout(done, 1000 * seconds));

async function ask(path: string, init: RequestInit = {}, retries = RETRIES): Promise<Response> {
  const response = await fetch(`${API}/${path}`, init).catch((error: unknown) => {
    if (init.signal?.aborted) throw error;
    throw new BackendError("the server does not answer any more", "gone");
  });
  if (response.ok) return response;
  if (response.status === 503 && retries > 0) {
    await pause(Number(response.headers.get("Retry-After") ?? 1) * (0.5 + Math.random()));
    return ask(path, init, retries - 1);
  }
  const body = (await response.json().catch(() => null)) as { error?: { code: string; message: string } } | null;
  throw new BackendError(body?.error?.message ?? `the server answered ${response.status}`, body?.error?.code ?? "");
}

const json = async <T>(path: string, init?: RequestInit): Promise<T> => (await (await ask(path, init)).json()) as T;
const bytes = async (path: string, init?: RequestInit): Promise<ArrayBuffer> => (await ask(path, init)).arrayBuffer();
const post = (value: unknown): RequestInit => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(value),
});
const plain = (points: readonly Point[]): number[][] => points.map((point) => [...point]);

export class Server implements Backend {
  readonly facts: Facts;
  readonly offline = false;
  #model: LocalModel | null = null;
  /** Whether the server has the test images; asked when first one is wanted. */
  #originals: Promise<boolean> | null = null;
  readonly ready: Promise<void>;

  private constructor(facts: Facts) {
    this.facts = facts;
    this.ready = this.#start().catch((error: unknown) => {
      console.warn("pictures are decoded by the server:", error); // slower, and as good
    });
  }

  static async open(): Promise<Server> {
    return new Server(await json<Facts>("space"));
  }

  get local(): boolean {
    return this.#model !== null;
  }

  async #start(): Promise<void> {
    if (!this.facts.model) return;
    const engine = new Engine(new Worker(new URL("../worker.ts", import.meta.url)));
    const [runtime, decoder] = await Promise.all([
      fetch("ort.wasm.gz").then((response) => response.arrayBuffer()),
      bytes("model/decoder"),
    ]);
    await engine.start(runtime);
    await engine.load("decoder", decoder);
    const encoder = bytes("model/encoder").then((model) => engine.load("encoder", model));
    this.#model = new LocalModel(engine, this.facts, encoder);
  }

  async reference(): Promise<Reference> {
    const { count } = this.facts;
    if (!count) return { count, codes: new Float32Array(), labels: null, errors: null };
    const [codes, labels, errors] = await Promise.all([
      bytes("points/codes"),
      this.facts.label_names ? bytes("points/labels") : null,
      this.facts.has_errors ? bytes("points/errors") : null,
    ]);
    return {
      count,
      codes: new Float32Array(codes),
      labels: labels && new Int32Array(labels),
      errors: errors && new Float32Array(errors),
    };
  }

  attribute = async (index: number): Promise<Float64Array> => new Float64Array(await bytes(`points/attributes/${index}`));

  /** What a label is called: the server takes it by its name. */
  #named(label: Label): string | null {
    return label === null ? null : this.facts.told[label]!;
  }

  async decode(points: readonly Point[], label: Label, latest = false): Promise<Uint8Array> {
    if (this.#model) return this.#model.decode(points, label);
    const body = { points: plain(points), given: this.#named(label), latest: latest ? LATEST : null };
    return new Uint8Array(await bytes("decode", post(body)));
  }

  async decodeFloats(points: readonly Point[], label: Label): Promise<Float32Array> {
    if (this.#model) return this.#model.decodeFloats(points, label);
    return Float32Array.from(await this.decode(points, label), (value) => value / 255);
  }

  async look(points: readonly Point[], label: Label): Promise<Point[]> {
    if (this.#model) return this.#model.look(points, label);
    const { shape } = this.facts;
    const pixels = await this.decode(points, label);
    const size = pixels.length / points.length;
    const pictures = points.map((_, i) => canvasOf(pixels.subarray(i * size, (i + 1) * size), shape));
    return Promise.all(pictures.map(async (picture) => (await this.encode(await png(picture, {}), label)).mean));
  }

  async tile(
    plane: Plane,
    { level, column, row }: TileAt,
    label: Label,
    signal: AbortSignal,
  ): Promise<Uint8Array | null> {
    const query = new URLSearchParams({
      cells: String(CELLS),
      origin: [...plane.origin].join(),
      right: [...plane.right].join(),
      up: [...plane.up].join(),
      ...this.#query(label),
    });
    try {
      return new Uint8Array(await bytes(`atlas/${level}/${column}/${row}?${query}`, { signal }));
    } catch (error) {
      if (signal.aborted) return null;
      throw error;
    }
  }

  #query(label: Label): Record<string, string> {
    const given = this.#named(label);
    return given === null ? {} : { given };
  }

  async encode(file: Blob, label: Label): Promise<Encoding> {
    type Reply = { mean: number[]; log_var: number[] | null; pixels: string };
    const found = await json<Reply>(`encode?${new URLSearchParams(this.#query(label))}`, { method: "POST", body: file });
    return {
      mean: Float64Array.from(found.mean),
      logVar: found.log_var && Float64Array.from(found.log_var),
      pixels: new Uint8Array(bytesFrom(found.pixels)),
    };
  }

  async geodesic(points: readonly Point[], frames: number, label: Label): Promise<Point[]> {
    const body = { points: plain(points), frames, path: "geodesic", given: this.#named(label) };
    const found = await json<{ points: number[][] }>("morph", post(body));
    return rows(found.points.flat(), this.facts.latent_dim);
  }

  async original(index: number): Promise<Uint8Array | null> {
    this.#originals ??= json<{ there: boolean }>("originals").then(({ there }) => there);
    if (!(await this.#originals)) return null;
    return new Uint8Array(await bytes(`originals/${index}`));
  }

  async learn(name: string, positive: readonly number[], negative: readonly number[] | null): Promise<Concept> {
    return conceptFrom(await json<WireConcept>("concepts", post({ name, positive, negative })));
  }

  async keep(concept: Concept): Promise<"folder" | "browser"> {
    if (!this.facts.writable) return "browser";
    await ask(`concepts/${encodeURIComponent(concept.name)}/keep`, { method: "POST" });
    return "folder";
  }

  async forget(name: string): Promise<void> {
    await ask(`concepts/${encodeURIComponent(name)}`, { method: "DELETE" });
  }
}
