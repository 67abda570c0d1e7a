/** The kinds of points that the legend lists: labels, or the words of an attribute. */

import type { Rgb } from "../map/renderer";
import { HUES, OTHER, PALETTE, UNKNOWN } from "./colours";

export type Groups = {
  readonly list: readonly { readonly name: string; readonly tint: Rgb; readonly count: number }[];
  /** Which of them each point is of. */
  readonly of: ArrayLike<number>;
};

export function groupsOfLabels(labels: Int32Array, names: readonly string[]): Groups {
  const counts = countsOf(labels, names.length);
  return { list: names.map((name, i) => ({ name, tint: PALETTE[i % PALETTE.length]!, count: counts[i]! })), of: labels };
}

/** The most common words have colours of their own, the most common first; all others are grey, and so is what is unknown. */
export function groupsOfWords(
  places: Float64Array, words: readonly string[], named: { unknown: string; others: (n: number) => string },
): Groups {
  const counts = countsOf(places, words.length);
  const common = words.map((_, i) => i).filter((i) => counts[i]).sort((a, b) => counts[b]! - counts[a]! || a - b);
  const others = common.splice(HUES.length);
  const list = common.map((i, k) => ({ name: words[i]!, tint: HUES[k]!, count: counts[i]! }));
  const group = new Map(common.map((i, k) => [i, k]));
  const sum = others.reduce((all, i) => all + counts[i]!, 0);
  if (sum) {
    others.forEach((i) => group.set(i, list.length));
    list.push({ name: others.length > 1 ? named.others(others.length) : words[others[0]!]!, tint: OTHER, count: sum });
  }
  const unknown = places.reduce((all, place) => all + Number(Number.isNaN(place)), 0);
  if (unknown) list.push({ name: named.unknown, tint: UNKNOWN, count: unknown });
  return { list, of: Int32Array.from(places, (place) => group.get(place) ?? list.length - 1) };
}

function countsOf(kinds: ArrayLike<number>, n: number): number[] {
  const counts = new Array<number>(n).fill(0);
  for (let i = 0; i < kinds.length; i++) if (kinds[i]! >= 0) counts[kinds[i]!]! += 1;
  return counts;
}
