import { useEffect, useRef } from "react";

export type Keys = Record<string, (event: KeyboardEvent) => void>;

/** Name of a key press: "a", "A" (with Shift), "Ctrl+z", "ArrowUp", "?". */
export function keyName(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">): string {
  const held = event.ctrlKey || event.metaKey ? "Ctrl+" : event.altKey ? "Alt+" : "";
  return held + event.key;
}

const WRITING = new Set(["INPUT", "TEXTAREA", "SELECT"]);

/** Whether a press belongs to a field in which the reader writes. */
export function isWriting(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement && ["checkbox", "radio", "button", "range"].includes(target.type)) return false;
  return WRITING.has(target.tagName) || target.isContentEditable;
}

/** Keys of a whole page; silent while a field is written in, a dialog is open or the press was already used. */
export function useKeys(keys: Keys): void {
  const table = useRef(keys);
  table.current = keys;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || isWriting(event.target) || document.querySelector("dialog[open]")) return;
      const act = table.current[keyName(event)];
      if (!act) return;
      event.preventDefault();
      act(event);
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
}
