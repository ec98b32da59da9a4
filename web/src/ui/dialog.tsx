import { useEffect, useId, useRef, type ReactNode } from "react";

import { useTexts } from "../text";

/** A modal dialog; Escape and the button close it, where it may be closed; the browser keeps the focus inside. */
export function Dialog({ title, close, children }: { title: string; close?: () => void; children: ReactNode }) {
  const { t } = useTexts();
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = element.current;
    if (dialog && !dialog.open) dialog.showModal();
    dialog?.querySelector<HTMLElement>("[data-first]")?.focus();
  }, []);
  return (
    <dialog
      ref={element}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        close?.();
      }}
      // Browsers do not let a page keep off a second Escape.
      onClose={() => (close ? close() : element.current?.showModal())}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <header>
        <h2 id={id}>{title}</h2>
        {close && (
          <button className="quiet" onClick={close} aria-label={t("close")}>
            ✕
          </button>
        )}
      </header>
      {children}
    </dialog>
  );
}
