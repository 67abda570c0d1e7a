/** The state of the page as the part of its address behind #, short and readable, and back. Nothing in it is trusted. */

export type PlaneChoice =
  | { kind: "own" }
  | { kind: "principal" | "latents"; right: number; up: number }
  | { kind: "images"; points: number[][] }
  | { kind: "concepts"; right: string; up: string };

export type Kind = "lerp" | "slerp" | "gaussian" | "geodesic";
export const KINDS: readonly Kind[] = ["lerp", "slerp", "gaussian", "geodesic"];
export const TABS = ["here", "path", "concepts", "image", "plane"] as const;
export type Tab = (typeof TABS)[number];

/** What undo goes back over. */
export type Document = {
  plane: PlaneChoice;
  /** How far, in deviations, the plane is moved along the directions off it. */
  offsets: number[];
  pins: number[][];
  subject: number[] | null;
  strengths: [string, number][];
  kept: string[];
  target: string | null;
  path: number[][];
  kind: Kind;
  frames: number;
  colour: string;
  hidden: number[];
  /** As which label everything is read and drawn, where the model is told one; null is where it began. */
  given: string | null;
  /** Concepts made on this page that are shown. */
  made: string[];
};

export type Address = Document & { view: [number, number, number] | null; tab: Tab };

export const START: Address = {
  plane: { kind: "own" }, offsets: [], pins: [], subject: null, strengths: [], kept: [], target: null, path: [],
  kind: "lerp", frames: 32, colour: "label", hidden: [], given: null, made: [], view: null, tab: "here",
}; // prettier-ignore

/** So many points are read from an address, and are taken by a server. */
export const MOST_POINTS = 32;

const short = (value: number): string => String(Number(value.toPrecision(7)));
const point = (z: readonly number[]): string => z.map((value) => short(Math.fround(value))).join(",");
const points = (all: readonly (readonly number[])[]): string => all.map(point).join(";");

export function toHash(state: Address): string {
  const parts = new URLSearchParams();
  const put = (key: string, value: string): void => {
    if (value) parts.set(key, value);
  };
  if (state.view) put("at", state.view.map(short).join(","));
  if (state.tab !== START.tab) put("tab", state.tab);
  const { plane } = state;
  if (plane.kind === "images") put("plane", `images:${points(plane.points)}`);
  else if (plane.kind !== "own") {
    put("plane", `${plane.kind}:${[plane.right, plane.up].map((axis) => encodeURIComponent(axis)).join()}`);
  }
  if (state.offsets.some((value) => value !== 0)) put("off", state.offsets.map(short).join(","));
  put("pins", points(state.pins));
  put("z", state.subject ? point(state.subject) : "");
  put("edit", state.strengths.filter(([, s]) => s !== 0).map(([n, s]) => `${encodeURIComponent(n)}:${short(s)}`).join());
  put("keep", state.kept.map(encodeURIComponent).join());
  put("to", state.target ?? "");
  put("path", points(state.path));
  if (state.kind !== START.kind) put("kind", state.kind);
  if (state.frames !== START.frames) put("frames", String(state.frames));
  if (state.colour !== START.colour) put("by", state.colour);
  put("hide", state.hidden.join());
  put("given", state.given ?? "");
  put("made", state.made.map(encodeURIComponent).join());
  // Commas, colons and semicolons are allowed behind #, and an address is for people too.
  return parts.toString().replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%3B", ";");
}

export function fromHash(hash: string, d: number): Address {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const get = (key: string): string => parts.get(key) ?? "";
  const numbers = (text: string): number[] => (text ? text.split(",").map(Number) : []).filter(Number.isFinite);
  const names = (text: string): string[] => (text ? text.split(",").map(decoded) : []);
  const latents = (text: string): number[][] =>
    text.split(";").map(numbers).filter((z) => z.length === d).slice(0, MOST_POINTS);
  const view = numbers(get("at"));
  const frames = Math.round(Number(get("frames") || START.frames));
  return {
    plane: planeFrom(get("plane"), d, numbers, latents),
    offsets: numbers(get("off")).map((value) => Math.max(-6, Math.min(6, value))),
    pins: latents(get("pins")),
    subject: latents(get("z"))[0] ?? null,
    strengths: get("edit").split(",").flatMap((text): [string, number][] => {
      const [name, strength] = text.split(":");
      const value = Number(strength);
      return name && strength && Number.isFinite(value) ? [[decoded(name), Math.max(-8, Math.min(8, value))]] : [];
    }),
    kept: names(get("keep")),
    target: get("to") || null,
    path: latents(get("path")),
    kind: KINDS.find((kind) => kind === get("kind")) ?? START.kind,
    frames: frames >= 2 && frames <= 240 ? frames : START.frames,
    colour: get("by") || START.colour,
    hidden: numbers(get("hide")),
    given: get("given") || null,
    made: names(get("made")),
    view: view.length === 3 && view[2]! > 0 ? [view[0]!, view[1]!, view[2]!] : null,
    tab: TABS.find((tab) => tab === get("tab")) ?? START.tab,
  };
}

function planeFrom(
  text: string, d: number, numbers: (text: string) => number[], latents: (text: string) => number[][],
): PlaneChoice {
  const [kind, rest] = [text.split(":")[0], text.slice(text.indexOf(":") + 1)];
  if (kind === "principal" || kind === "latents") {
    const [right, up] = numbers(rest);
    const there = (i: number | undefined): i is number => i !== undefined && Number.isInteger(i) && i >= 0 && i < d;
    if (there(right) && there(up) && right !== up) return { kind, right, up };
  }
  if (kind === "images") {
    const three = latents(rest);
    if (three.length === 3) return { kind, points: three };
  }
  if (kind === "concepts") {
    const [right, up] = rest.split(",").map(decoded);
    if (right && up) return { kind, right, up };
  }
  return START.plane;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
