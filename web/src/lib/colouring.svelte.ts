/** What colours the points: their label, a number along a scale, or a word of what the set's table says of them. */

import { SvelteMap } from "svelte/reactivity";
import { read } from "../latent/concepts";
import type { Rgb } from "../map/renderer";
import type { App } from "./app.svelte";
import type { AttributeFact } from "./backend";
import { PLAIN, type Scale, UNKNOWN, ramp, scaleOf } from "./colours";
import { type Groups, groupsOfLabels, groupsOfWords } from "./groups";

const ATTRIBUTE = "attribute:";
const CONCEPT = "concept:";

export class Colouring {
  readonly #app: App;
  /** Attributes are fetched when one is first asked for: there may be hundreds. */
  readonly #columns = new SvelteMap<string, Float64Array>();

  constructor(app: App) {
    this.#app = app;
  }

  // Each by itself, so that other changes of the document do not read every code anew.
  readonly #wish = $derived.by(() => this.#app.document.colour);

  /** What they are coloured by: what is asked for, where that is there. */
  readonly by = $derived.by((): string => {
    const [wish, { labels, errors }] = [this.#wish, this.#app.reference];
    const there =
      wish === "nothing" || (wish === "error" && errors) || this.#fact(wish) || (wish.startsWith(CONCEPT) && this.#app.concept(wish.slice(CONCEPT.length)));
    if (there) return wish;
    return labels ? "label" : "nothing";
  });

  readonly attribute = $derived.by(() => this.#fact(this.by));
  readonly #column = $derived.by(() => (this.attribute ? (this.#columns.get(this.attribute.name) ?? null) : null));

  #fact(wish: string): AttributeFact | null {
    return this.#app.facts.attributes.find(({ name }) => ATTRIBUTE + name === wish) ?? null;
  }

  /** Have the attribute that is asked for, a moment later. */
  async fetch(): Promise<void> {
    const { attribute } = this;
    if (!attribute || this.#columns.has(attribute.name)) return;
    const { backend, facts } = this.#app;
    try {
      this.#columns.set(attribute.name, await backend.attribute(facts.attributes.indexOf(attribute)));
    } catch (error) {
      this.#app.tell(error);
    }
  }

  choose(colour: string): void {
    const before = this.attribute?.words ? this.by : "";
    const after = this.#fact(colour)?.words ? colour : "";
    // What is hidden are places in the legend's list, and another list has others.
    this.#app.change(before === after ? { colour } : { colour, hidden: [] });
  }

  /** The numbers that points are coloured by, with the ends of their scale; null where it is no number. */
  readonly measured = $derived.by((): Scale | null => {
    const values = this.#values();
    return values && scaleOf(values);
  });

  #values(): ArrayLike<number> | null {
    const { by, attribute } = this;
    if (attribute) return attribute.words ? null : this.#column;
    if (by === "error") return this.#app.reference.errors;
    const concept = by.startsWith(CONCEPT) && this.#app.concept(by.slice(CONCEPT.length));
    return concept ? Float64Array.from({ length: this.#app.reference.count }, (_, i) => read(concept, this.#app.code(i))) : null;
  }

  /** The kinds of points that can be hidden: words, where they give the colours, else labels. */
  readonly groups = $derived.by((): Groups | null => {
    const { facts, reference, words } = this.#app;
    if (this.attribute?.words && this.#column) {
      return groupsOfWords(this.#column, this.attribute.words, { unknown: words.unknown, others: words.otherWords });
    }
    return reference.labels && groupsOfLabels(reference.labels, facts.label_names ?? []);
  });

  readonly isHidden = $derived.by((): ((index: number) => boolean) => {
    const { groups } = this;
    const hidden = new Set(this.#app.document.hidden);
    return (index) => groups !== null && hidden.has(groups.of[index]!);
  });

  /** Whether these kinds are what gives the colours. */
  readonly byGroup = $derived.by(() => this.by === "label" || Boolean(this.attribute?.words && this.#column));

  readonly tint = $derived.by((): ((index: number) => Rgb) => {
    const { measured } = this;
    if (measured) return (index) => shade(measured, index);
    const kinds = this.byGroup ? this.groups : null;
    return (index) => kinds?.list[kinds.of[index]!]?.tint ?? PLAIN;
  });

  /** What is known of a test image beside its label, of that by which points are coloured. */
  said(index: number): string | null {
    const { attribute } = this;
    const value = this.#column?.[index];
    if (!attribute || value === undefined) return null;
    const said = Number.isNaN(value) ? this.#app.words.unknown : attribute.words ? attribute.words[value]! : this.#app.brief(value);
    return `${attribute.name}: ${said}`;
  }
}

function shade({ values, low, high }: Scale, index: number): Rgb {
  const value = values[index]!;
  return Number.isNaN(value) ? UNKNOWN : ramp((value - low) / (high - low || 1));
}
