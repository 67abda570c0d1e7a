/** What this browser remembers; where it may not, the page works all the same. */

export function readStored<T = unknown>(key: string): T | null {
  try {
    return JSON.parse(localStorage.getItem(`morphospace ${key}`) ?? "null") as T | null;
  } catch {
    return null;
  }
}

export function writeStored(key: string, value: unknown): void {
  try {
    localStorage.setItem(`morphospace ${key}`, JSON.stringify(value));
  } catch {
    // Private windows and full disks: the page works all the same.
  }
}
