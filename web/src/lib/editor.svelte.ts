/** What is edited, and what becomes of it: both follow the document. */

import { untrack } from "svelte";
import type { Point } from "../latent/linear";
import type { App } from "./app.svelte";

export class Editor {
  /** The decoded picture of what is edited. */
  before = $state.raw<Uint8Array | null>(null);
  /** Where the edits lead, and the picture there; null where there are none. */
  after = $state.raw<{ z: Point; pixels: Uint8Array } | null>(null);

  constructor(app: App) {
    // Each by itself: other changes of the document do not decode it again.
    const subject = $derived(app.document.subject);
    const strengths = $derived(app.document.strengths);
    const target = $derived(app.document.target);
    const kept = $derived(app.document.kept);
    $effect(() => {
      this.before = null;
      if (!subject) return;
      return newest(app.decode([Float64Array.from(subject)]), (pixels) => (this.before = pixels), app);
    });
    $effect(() => {
      void [kept, app.concepts, app.given];
      if (!subject || (!strengths.length && !target)) {
        this.after = null;
        return;
      }
      const made = async (): Promise<{ z: Point; pixels: Uint8Array }> => {
        const z = await app.moved(Float64Array.from(subject));
        return { z, pixels: await app.decode([z]) };
      };
      const failed = (): void => void (this.after = null); // what was there is of other settings
      return newest(untrack(made), (found) => (this.after = found), app, failed);
    });
  }
}

/** Hand over what is made, unless something newer is wanted by then; returns how to say so. */
export function newest<T>(made: Promise<T>, take: (found: T) => void, app: App, failed?: () => void): () => void {
  let stale = false;
  made.then(
    (found) => {
      if (!stale) take(found);
    },
    (error: unknown) => {
      if (stale) return;
      failed?.();
      app.tell(error);
    },
  );
  return () => {
    stale = true;
  };
}
