/** The state of the page, and what can be done to it. Panels show it; the map draws it. */

import { SvelteSet } from "svelte/reactivity";
import { type Classes, changeClass, classChances, classesFrom } from "../latent/classes";
import { type Concept, type WireConcept, conceptFrom, conceptToWire } from "../latent/concepts";
import { type Point, pointFrom } from "../latent/linear";
import { type Kind as PathKind, pathThrough } from "../latent/paths";
import { broughtBack, move, movedWithLook } from "../latent/moves";
import {
  type Plane, effectiveDirections, fromPlane, planeOfConcepts, planeOfLatents, planeOfPrincipal, planeThrough, toPlane,
} from "../latent/planes";
import { float32From, type Principal, principalFrom } from "../latent/wire";
import { densityAt, densityOf } from "../map/density";
import { type View, fitting } from "../map/view";
import { en } from "../words/en";
import { ko } from "../words/ko";
import { type Address, type Document, MOST_POINTS, type PlaneChoice, START, fromHash, toHash } from "./address";
import { type Backend, BackendError, type Encoding, type Facts, type Label, type Reference } from "./backend";
import { gaussian } from "./chance";
import { Colouring } from "./colouring.svelte";
import { canvasOf, enlarged, factorFor, png, save } from "./pictures";
import { readStored, writeStored } from "./stored";

export type Spot = { readonly z: Point; readonly pixels: Uint8Array | null; readonly index: number | null };
export type Bookmark = { hash: string; name: string; picture: string };

const SLIDERS = 6; // directions off the plane
const MOST_PINS = 12;
const EMPTY = 0.06;
const UNDO = 100;

export class App {
  readonly backend: Backend;
  readonly facts: Facts;
  readonly reference: Reference;
  readonly principal: Principal;
  /** Draws of the space's sampler, `draws[i * d + j]`. */
  readonly draws: Float32Array | null;
  readonly classes: Classes | null;
  readonly colouring = new Colouring(this);

  // -- what is shown, and how -------------------------------------------------------------------------
  language = $state<"en" | "ko">(readStored("language") === "ko" || (!readStored("language") && navigator.language.startsWith("ko")) ? "ko" : "en");
  theme = $state<"dark" | "light">(
    readStored("theme") === "light" || (!readStored("theme") && matchMedia("(prefers-color-scheme: light)").matches) ? "light" : "dark",
  );
  help = $state(false);
  shade = $state(true);
  points = $state(true);
  arrows = $state(true);
  lasso = $state(false);
  /** Whether the lens looks at the middle of the map: keys move the map, not a pointer. */
  keyboard = $state(false);
  /** Whether pictures are decoded in this browser; known a moment after the page has opened. */
  local = $state(false);
  /** A sentence to show for a while. */
  notice = $state("");
  size = $state.raw({ width: 800, height: 600 });
  view = $state.raw<View>({ u: 0, v: 0, scale: 100 });

  // -- the document: what undo goes back over ----------------------------------------------------------
  document = $state.raw<Document>(START);
  tab = $state(START.tab);
  concepts = $state.raw<readonly Concept[]>([]);
  /** Those made on this page, whether or not they are shown: undo and redo find them here. */
  readonly #made = new Map<string, Concept>();
  readonly kept = new SvelteSet<string>();

  // -- what follows from it ------------------------------------------------------------------------------
  spot = $state.raw<Spot | null>(null);
  /** The picture that was brought along, with its posterior, while it is what is edited. */
  own = $state.raw<Encoding | null>(null);
  chosen = $state.raw<readonly number[]>([]);
  bookmarks = $state.raw<readonly Bookmark[]>([]);
  #past: string[] = [];
  #future: string[] = [];
  canUndo = $state(false);
  canRedo = $state(false);

  constructor(backend: Backend, reference: Reference) {
    this.backend = backend;
    this.facts = backend.facts;
    this.reference = reference;
    this.principal = principalFrom(this.facts.principal);
    this.draws = this.facts.draws === null ? null : float32From(this.facts.draws);
    this.classes = this.facts.classes && classesFrom(this.facts.classes);
    this.bookmarks = readStored<Bookmark[]>(`bookmarks ${this.facts.fingerprint}`) ?? [];
    this.concepts = this.facts.concepts.map(conceptFrom);
    for (const wire of this.#remembered) {
      const concept = conceptFrom(wire);
      if (concept.direction.length !== this.facts.latent_dim) continue;
      this.kept.add(concept.name);
      // A server that has not stopped since still knows it.
      if (!this.concept(concept.name)) this.concepts = [...this.concepts, concept];
    }
    this.open(location.hash);
    backend.ready.then(() => (this.local = backend.local), (error: unknown) => this.tell(error));
  }

  get words(): typeof en {
    return this.language === "ko" ? ko : en;
  }

  number(value: number, digits = 2): string {
    return value.toLocaleString(this.language, { maximumFractionDigits: digits, minimumFractionDigits: digits });
  }

  /** A number of any size in a few signs; a year stays a year. */
  brief(value: number): string {
    const digits = Number.isInteger(value) ? {} : Math.abs(value) < 1000 ? { maximumSignificantDigits: 4 } : { maximumFractionDigits: 0 };
    return value.toLocaleString(this.language, { useGrouping: "min2", ...digits });
  }

  // -- the plane -----------------------------------------------------------------------------------------

  // By themselves, so that other changes of the document do not project every code and draw every tile anew.
  readonly #choice = $derived(this.document.plane);
  readonly #offsets = $derived(this.document.offsets);

  /** The plane that is asked for, or null where there is none such: then it is the space's own. */
  readonly #chosen = $derived.by((): Plane | null => {
    const plane = this.#choice;
    const d = this.facts.latent_dim;
    try {
      const { axes } = this.principal;
      if (plane.kind === "principal" && axes[plane.right] && axes[plane.up]) return planeOfPrincipal(this.principal, plane.right, plane.up);
      if (plane.kind === "latents") return planeOfLatents(plane.right, plane.up, d, this.principal.mean);
      if (plane.kind === "images") {
        const [a, b, c] = plane.points.map((z) => Float64Array.from(z));
        return planeThrough(a!, b!, c!);
      }
      if (plane.kind === "concepts") {
        const [right, up] = [this.concept(plane.right), this.concept(plane.up)];
        if (right && up) return planeOfConcepts(right, up, this.principal.mean);
      }
    } catch (error) {
      queueMicrotask(() => this.tell(error));
    }
    return null;
  });

  readonly base = $derived.by((): Plane => {
    if (this.#chosen) return this.#chosen;
    const { origin, axes } = this.facts.plane;
    const [right, up] = axes;
    const none = new Array<number>(this.facts.latent_dim).fill(0);
    return { origin: Float64Array.from(origin), right: Float64Array.from(right!), up: Float64Array.from(up ?? none) };
  });

  /** What runs along the axes of the map; nothing where that has no name. */
  readonly axes = $derived.by((): { right: string; up: string } | null => {
    const plane = this.#chosen ? this.#choice : START.plane;
    if (plane.kind === "concepts") return plane;
    if (plane.kind === "latents") return { right: this.words.latentN(plane.right + 1), up: this.words.latentN(plane.up + 1) };
    if (plane.kind === "principal") return { right: this.words.principalN(plane.right + 1), up: this.words.principalN(plane.up + 1) };
    if (plane.kind === "images") return null;
    if (this.facts.latent_dim <= 2) return { right: this.words.latentN(1), up: this.facts.latent_dim > 1 ? this.words.latentN(2) : "" };
    return { right: this.words.principalN(1), up: this.words.principalN(2) };
  });

  readonly directions = $derived.by(() =>
    this.facts.latent_dim > 2 ? effectiveDirections(this.base, this.principal, SLIDERS) : [],
  );

  readonly plane = $derived.by((): Plane => {
    const origin = this.base.origin.slice();
    this.directions.forEach(({ direction, deviation }, k) => {
      const far = (this.#offsets[k] ?? 0) * deviation;
      if (far) direction.forEach((value, j) => (origin[j]! += far * value));
    });
    return { ...this.base, origin };
  });

  /** The codes on the plane, u and v in turn, and how near to it each lies: 1 on it, 0 far off. */
  readonly projected = $derived.by((): { uv: Float32Array; near: Float32Array | null } => {
    const { count } = this.reference;
    const uv = new Float32Array(2 * count);
    const aways = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      const { u, v, away } = this.on(this.code(i));
      uv[2 * i] = u;
      uv[2 * i + 1] = v;
      aways[i] = away;
    }
    if (this.facts.latent_dim <= 2) return { uv, near: null };
    const typical = aways.slice().sort()[Math.floor(count / 2)] || 1;
    return { uv, near: aways.map((away) => Math.exp(-0.5 * (away / typical) ** 2)) };
  });

  at(u: number, v: number): Point {
    return fromPlane(this.plane, u, v);
  }

  on(z: Point): { u: number; v: number; away: number } {
    return toPlane(this.plane, z);
  }

  fit(): void {
    this.view = fitting(this.projected.uv, this.size);
  }

  readonly density = $derived.by(() => densityOf(this.projected.uv, this.projected.near));

  isEmpty(z: Point): boolean {
    const { u, v } = this.on(z);
    return this.reference.count > 0 && densityAt(this.density, u, v) < EMPTY;
  }

  // -- what the model is told ------------------------------------------------------------------------------

  /** The number of the label as which everything is read and drawn; null where the model is told none. */
  readonly given = $derived.by((): Label => {
    const { told, given } = this.facts;
    const at = told.indexOf(this.document.given ?? given ?? "");
    return told.length ? Math.max(0, at) : null;
  });

  /** Pixels at latents, as the label that is given: an effect that asks for them asks again when another is. */
  decode(points: readonly Point[], latest = false): Promise<Uint8Array> {
    return this.backend.decode(points, this.given, latest);
  }

  encode(file: Blob): Promise<Encoding> {
    return this.backend.encode(file, this.given);
  }

  // -- the document ----------------------------------------------------------------------------------------

  /** Change the document; what it was is kept for undo, unless this is one of many small steps of one gesture. */
  change(part: Partial<Document>, gesture = ""): void {
    const before = this.#snapshot();
    this.document = { ...this.document, ...part };
    if (gesture && gesture === this.#gesture && performance.now() - this.#since < 1000) {
      this.#since = performance.now();
    } else {
      this.#past = [...this.#past.slice(-UNDO), before];
      this.#gesture = gesture;
      this.#since = performance.now();
    }
    this.#future = [];
    this.#counted();
  }

  #gesture = "";
  #since = 0;

  #snapshot = (): string => toHash({ ...this.document, view: null, tab: START.tab });

  #counted(): void {
    this.canUndo = this.#past.length > 0;
    this.canRedo = this.#future.length > 0;
  }

  #take(document: Document): void {
    const made = document.made.filter((name) => this.#made.has(name));
    this.document = { ...document, made };
    const others = this.concepts.filter((concept) => !this.#made.has(concept.name) || this.kept.has(concept.name));
    const again = made.filter((name) => !this.kept.has(name)).map((name) => this.#made.get(name)!);
    this.concepts = [...others, ...again];
    const { subject } = document;
    if (this.own && (!subject || subject.some((value, j) => Math.abs(value - this.own!.mean[j]!) > 1e-5))) this.own = null;
  }

  undo = (): void => this.#step(this.#past, this.#future);
  redo = (): void => this.#step(this.#future, this.#past);

  #step(from: string[], to: string[]): void {
    const snapshot = from.pop();
    if (snapshot === undefined) return;
    to.push(this.#snapshot());
    const { view: _view, tab: _tab, ...document } = fromHash(snapshot, this.facts.latent_dim);
    this.#take(document);
    this.#gesture = "";
    this.#counted();
  }

  /** The whole state as an address. */
  get hash(): string {
    return toHash(this.address);
  }

  get address(): Address {
    const { u, v, scale } = this.view;
    return { ...this.document, view: [u, v, scale], tab: this.tab };
  }

  open(hash: string): void {
    const { view, tab, ...document } = fromHash(hash, this.facts.latent_dim);
    this.#take(document);
    this.tab = tab === "plane" && this.facts.latent_dim <= 2 ? START.tab : tab;
    if (view) this.view = { u: view[0], v: view[1], scale: view[2] };
    this.fitted = view !== null;
  }

  /** Whether the view was chosen; otherwise the map shows everything when it knows its size. */
  fitted = false;

  // -- gestures ----------------------------------------------------------------------------------------------

  pin(z: Point): void {
    const pins = [...this.document.pins, [...z]].slice(-MOST_PINS);
    this.own = null;
    this.change({ pins, subject: [...z] });
  }

  unpin(index: number): void {
    this.change({ pins: this.document.pins.filter((_, i) => i !== index) });
  }

  edit(z: Point, own: Encoding | null = null): void {
    this.change({ subject: [...z] });
    this.own = own;
  }

  addWayPoint(z: Point): void {
    if (this.document.path.length >= MOST_POINTS) {
      this.notice = this.words.longPath(MOST_POINTS);
      return;
    }
    this.change({ path: [...this.document.path, [...z]] });
  }

  moveWayPoint(index: number, z: Point): void {
    this.change({ path: this.document.path.map((old, i) => (i === index ? [...z] : old)) }, `way ${index}`);
  }

  show(plane: PlaneChoice): void {
    this.change({ plane, offsets: [] });
    this.fit();
  }

  random(): void {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const d = this.facts.latent_dim;
    let z: Point;
    if (this.draws) {
      const start = (seed % (this.draws.length / d)) * d;
      z = pointFrom(this.draws.subarray(start, start + d));
    } else if (this.facts.has_prior && d <= 2) z = gaussian(seed, d);
    else {
      // A little beside a real code: with many latents the prior is far from all of them.
      const code = this.reference.count ? this.code(seed % this.reference.count) : this.principal.mean;
      const noise = gaussian(seed, d);
      z = code.map((value, j) => value + 0.2 * noise[j]!);
    }
    this.pin(z);
    const { u, v } = this.on(z);
    this.view = { ...this.view, u, v };
  }

  // -- concepts ------------------------------------------------------------------------------------------------

  concept(name: string): Concept | undefined {
    return this.concepts.find((concept) => concept.name === name);
  }

  strength(name: string): number {
    return this.document.strengths.find(([other]) => other === name)?.[1] ?? 0;
  }

  setStrength(name: string, value: number): void {
    const others = this.document.strengths.filter(([other]) => other !== name);
    this.change({ strengths: value ? [...others, [name, value]] : others }, `strength ${name}`);
  }

  toggleKept(name: string): void {
    const { kept } = this.document;
    this.change({ kept: kept.includes(name) ? kept.filter((other) => other !== name) : [...kept, name] });
  }

  get #named(): ReadonlyMap<string, number> {
    return new Map(this.document.strengths.filter(([name, strength]) => strength && this.concept(name)));
  }

  /** Where the edits lead from a code; along fields with a second look at what was drawn. */
  async moved(z: Point): Promise<Point> {
    const { target } = this.document;
    const from = target && this.classes?.names.includes(target) ? changeClass(this.classes, [z], null, target) : [z];
    const strengths = this.#named;
    const kept = this.document.kept.filter((name) => this.concept(name) && !strengths.has(name));
    // What the change of class has done to what is kept is undone.
    const held = broughtBack([z], from, this.concepts, kept);
    const [moved] = await movedWithLook(from, this.concepts, strengths, held, (some) => this.backend.look(some, this.given));
    return moved!;
  }

  /** Where one concept alone leads: for the pictures at a slider's ends. */
  along(z: Point, concept: Concept, strength: number): Point {
    return move([z], this.concepts, new Map([[concept.name, strength]]), [])[0]!;
  }

  async learn(name: string, positive: readonly number[], negative: readonly number[] | null): Promise<void> {
    const ask = (): Promise<Concept> => this.backend.learn(name, positive, negative);
    const concept = await ask().catch(async (error: unknown) => {
      // What undo has taken from the page, the server still has.
      if (!(error instanceof BackendError) || error.code !== "conflict" || this.concept(name)) throw error;
      await this.backend.forget(name);
      return ask();
    });
    this.#made.set(concept.name, concept);
    this.change({ made: [...this.document.made, concept.name] });
    this.concepts = [...this.concepts, concept];
  }

  /** The concepts of this space that this browser keeps. */
  get #remembered(): WireConcept[] {
    return readStored(`concepts ${this.facts.fingerprint}`) ?? [];
  }

  set #remembered(concepts: WireConcept[]) {
    writeStored(`concepts ${this.facts.fingerprint}`, concepts);
  }

  isMade(name: string): boolean {
    return this.#made.has(name) && !this.kept.has(name);
  }

  async keep(concept: Concept): Promise<void> {
    const where = await this.backend.keep(concept);
    if (where === "browser") this.#remembered = [...this.#remembered, conceptToWire(concept)];
    this.kept.add(concept.name);
    this.notice = where === "folder" ? this.words.keptFolder : this.words.keptBrowser;
  }

  /** Take a concept that was made here from the list; undo brings it back, unless it was kept. */
  async drop(concept: Concept): Promise<void> {
    if (this.kept.has(concept.name)) {
      this.#remembered = this.#remembered.filter(({ name }) => name !== concept.name);
      this.kept.delete(concept.name);
    }
    await this.backend.forget(concept.name).catch(() => undefined);
    const { strengths, kept, made } = this.document;
    const other = (name: string): boolean => name !== concept.name;
    this.change({ made: made.filter(other), kept: kept.filter(other), strengths: strengths.filter(([name]) => other(name)) });
    this.concepts = this.concepts.filter(({ name }) => other(name));
  }

  /** The code of a test image. */
  code(index: number): Point {
    const d = this.facts.latent_dim;
    return Float64Array.from(this.reference.codes.subarray(index * d, (index + 1) * d));
  }

  /** What a place looks like, by the Gaussians of the classes. */
  likely(z: Point): { label: string; chance: number } | null {
    if (!this.classes) return null;
    const [chances] = classChances(this.classes, [z]);
    const best = chances!.indexOf(Math.max(...chances!));
    return { label: this.classes.names[best]!, chance: chances![best]! };
  }

  label(index: number): string | null {
    const label = this.reference.labels?.[index];
    return label === undefined ? null : (this.facts.label_names?.[label] ?? null);
  }

  // -- paths -------------------------------------------------------------------------------------------------------

  async pathPoints(): Promise<Point[]> {
    const { path, kind, frames } = this.document;
    const points = path.map((z) => Float64Array.from(z));
    if (points.length < 2) return [];
    const count = Math.max(frames, points.length);
    return kind === "geodesic" ? this.backend.geodesic(points, count, this.given) : pathThrough(points, count, kind as PathKind);
  }

  // -- pictures to keep ------------------------------------------------------------------------------------------------

  /** What a saved picture carries: where it is from. */
  text(more: Record<string, string> = {}): Record<string, string> {
    const { name, recipe, seed, version } = this.facts;
    const given = this.given === null ? {} : { given: this.facts.told[this.given]! };
    return { software: `morphospace ${version}`, recipe, data: name, seed: String(seed), ...given, ...more };
  }

  async savePicture(pixels: Uint8Array, z: Point | null, name: string): Promise<void> {
    const canvas = enlarged(pixels, this.facts.shape, factorFor(this.facts.shape, 280));
    const latent = z ? { latent: [...z].map((value) => Math.fround(value)).join(" ") } : {};
    save(await png(canvas, this.text(latent)), `${this.facts.name}-${name}.png`);
  }

  async bookmark(): Promise<void> {
    const z = this.at(this.view.u, this.view.v);
    const picture = canvasOf(await this.decode([z]), this.facts.shape).toDataURL();
    const name = new Date().toLocaleString(this.language, { dateStyle: "medium", timeStyle: "short" });
    this.bookmarks = [...this.bookmarks, { hash: this.hash, name, picture }];
    writeStored(`bookmarks ${this.facts.fingerprint}`, this.bookmarks);
  }

  removeBookmark(index: number): void {
    this.bookmarks = this.bookmarks.filter((_, i) => i !== index);
    writeStored(`bookmarks ${this.facts.fingerprint}`, this.bookmarks);
  }

  /** Say what went wrong, in its own words. */
  tell(error: unknown): void {
    if (error instanceof BackendError && error.code === "superseded") return; // something newer is on its way
    const gone = error instanceof BackendError && error.code === "gone";
    this.notice = gone ? this.words.gone : error instanceof Error ? error.message : String(error);
  }
}
