import { useSyncExternalStore } from "react";

/** The address that is shown: the browser's own, but where the person did not want to leave. */
let shown = window.location.hash;

/** The parts of the address after "#/". */
export function useRoute(): string[] {
  const hash = useSyncExternalStore(watch, () => shown);
  return hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decoded);
}

export const href = (...parts: string[]): string => `#/${parts.map(encodeURIComponent).join("/")}`;

export const go = (...parts: string[]): void => {
  window.location.hash = href(...parts);
};

/** What is lost where a page is left. */
export interface Losses {
  /** By a link within the page, as a question to the person; "" where nothing is lost. */
  byLink: () => string;
  /** By closing or loading the window again; the browser asks in its own words. */
  byUnload: () => boolean;
}
let losses: Losses | null = null;

/** Has the person asked before a page is left; the answer ends that. */
export function guardLeaving(of: Losses): () => void {
  losses = of;
  const unload = (event: BeforeUnloadEvent) => of.byUnload() && event.preventDefault();
  window.addEventListener("beforeunload", unload);
  return () => {
    if (losses === of) losses = null;
    window.removeEventListener("beforeunload", unload);
  };
}

/** Whether nothing is lost, or the person lets it go. */
export function mayLeave(): boolean {
  const question = losses?.byLink() ?? "";
  return question === "" || window.confirm(question);
}

function watch(changed: () => void): () => void {
  const move = () => {
    if (window.location.hash === shown) return;
    if (mayLeave()) shown = window.location.hash;
    else window.history.replaceState(null, "", shown || "#/");
    changed();
  };
  window.addEventListener("hashchange", move);
  return () => window.removeEventListener("hashchange", move);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
