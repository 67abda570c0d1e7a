/** Where one looks: the middle of the map in the plane's coordinates, and pixels per unit. */
export type View = { readonly u: number; readonly v: number; readonly scale: number };
export type Size = { readonly width: number; readonly height: number };

export const FARTHEST = 12;
/** Beyond it, cells differ by less than a 32-bit number can say. */
export const NEAREST = 2 ** 27;

export const toScreen = (view: View, size: Size, u: number, v: number): { x: number; y: number } => ({
  x: size.width / 2 + (u - view.u) * view.scale,
  y: size.height / 2 - (v - view.v) * view.scale,
});

export const fromScreen = (view: View, size: Size, x: number, y: number): { u: number; v: number } => ({
  u: view.u + (x - size.width / 2) / view.scale,
  v: view.v - (y - size.height / 2) / view.scale,
});

/** Zoomed by `factor` so that what is at (x, y) stays there. */
export function zoomed(view: View, size: Size, factor: number, x = size.width / 2, y = size.height / 2): View {
  const scale = Math.min(NEAREST, Math.max(Math.min(FARTHEST, view.scale), view.scale * factor));
  const held = fromScreen(view, size, x, y);
  return {
    scale,
    u: held.u - (x - size.width / 2) / scale,
    v: held.v + (y - size.height / 2) / scale,
  };
}

export const panned = (view: View, dx: number, dy: number): View => ({
  ...view,
  u: view.u - dx / view.scale,
  v: view.v + dy / view.scale,
});

/** The view that shows nearly all of points at (u, v) in turn; without points, the middle of the prior. */
export function fitting(uv: Float32Array, size: Size): View {
  if (uv.length < 4) return { u: 0, v: 0, scale: Math.min(size.width, size.height) / 5 };
  const axis = (k: number): [number, number] => {
    const sorted = uv.filter((_, i) => i % 2 === k).sort();
    const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))]!;
    return [at(0.002), at(0.998)];
  };
  const [[left, right], [low, high]] = [axis(0), axis(1)];
  const margin = 1.12;
  const scale = Math.min(size.width / (right - left || 1), size.height / (high - low || 1)) / margin;
  return { u: (left + right) / 2, v: (low + high) / 2, scale };
}
