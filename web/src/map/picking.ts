/** Which points are meant: the one under the pointer, those within a lasso. */

import { type Size, type View, fromScreen, toScreen } from "./view";

type Place = { readonly x: number; readonly y: number };
/** Points at u, v in turn; hidden ones are not meant. */
type Points = { readonly uv: Float32Array; readonly isHidden: (index: number) => boolean };

const CATCH = 9; // pixels

/** The point that is drawn nearest to a place, if it is near. */
export function nearest({ uv, isHidden }: Points, view: View, size: Size, at: Place): number | null {
  const { u, v } = fromScreen(view, size, at.x, at.y);
  let [best, found] = [(CATCH / view.scale) ** 2, -1];
  for (let i = 0; i < uv.length / 2; i++) {
    const away = (uv[2 * i]! - u) ** 2 + (uv[2 * i + 1]! - v) ** 2;
    if (away < best && !isHidden(i)) [best, found] = [away, i];
  }
  return found < 0 ? null : found;
}

/** The points within a closed line, by the even-odd rule. */
export function within({ uv, isHidden }: Points, view: View, size: Size, line: readonly Place[]): number[] {
  const found: number[] = [];
  for (let i = 0; i < uv.length / 2; i++) {
    if (isHidden(i)) continue;
    const p = toScreen(view, size, uv[2 * i]!, uv[2 * i + 1]!);
    let inside = false;
    for (let a = 0, b = line.length - 1; a < line.length; b = a++) {
      const [one, other] = [line[a]!, line[b]!];
      const crosses = one.y > p.y !== other.y > p.y;
      if (crosses && p.x < ((other.x - one.x) * (p.y - one.y)) / (other.y - one.y) + one.x) inside = !inside;
    }
    if (inside) found.push(i);
  }
  return found;
}
