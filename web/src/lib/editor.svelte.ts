/** What is edited, and what becomes of it: both follow the document. */

import type { Point } from "../latent/linear";
import type { App } from "./app.svelte";

export class Editor {
  /** The decoded picture of what is edited. */
  before = $state.raw<Uint8Array | null>(null);
  /** Where the edits lead, and the picture there; null where there are none. */
  after = $state.raw<{ z: Point; pixels: Uint8Array } | null>(null);

  constructor(app: App) {
    $effect(() => {
      const { subject } = app.document;
      this.before = null;
      if (!subject) return;
      return newest(app.backend.decode([Float64Array.from(subject)]), (pixels) => (this.before = pixels), app);
    });
    $effect(() => {
      const { subject, strengths, target, kept } = app.document;
      void [kept, app.concepts];
      if (!subject || (!strengths.length && !target)) {
        this.after = null;
        return;
      }
      const made = async (): Promise<{ z: Point; pixels: Uint8Array }> => {
        const z = await app.moved(Float64Array.from(subject));
        return { z, pixels: await app.backend.decode([z]) };
      };
      return newest(made(), (found) => (this.after = found), app);
    });
  }
}

/** Hand over what is made, unless something newer is wanted by then; returns how to say so. */
export function newest<T>(made: Promise<T>, take: (found: T) => void, app: App): () => void {
  let stale = false;
  made.then(
    (found) => {
      if (!stale) take(found);
    },
    (error: unknown) => {
      if (!stale) app.tell(error);
    },
  );
  return () => {
    stale = true;
  };
}
