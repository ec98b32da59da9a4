import { useSyncExternalStore } from "react";

/** The parts of the address after "#/". */
export function useRoute(): string[] {
  const hash = useSyncExternalStore(watch, () => window.location.hash);
  return hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
}

export const href = (...parts: string[]): string => `#/${parts.map(encodeURIComponent).join("/")}`;

export const go = (...parts: string[]): void => {
  window.location.hash = href(...parts);
};

function watch(changed: () => void): () => void {
  window.addEventListener("hashchange", changed);
  return () => window.removeEventListener("hashchange", changed);
}
