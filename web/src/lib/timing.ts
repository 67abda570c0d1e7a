/** Tell whoever observes (`PerformanceObserver`, "measure") how long something took; nothing is collected. */
export function timed(name: string, start: number): void {
  performance.measure(name, { start, end: performance.now() });
  performance.clearMeasures(name);
}
