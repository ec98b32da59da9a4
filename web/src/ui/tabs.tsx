import { useId, type KeyboardEvent, type ReactNode } from "react";

export interface Tab {
  id: string;
  title: string;
  body: () => ReactNode;
}

/** Tabs; arrow keys move between them. */
export function Tabs({
  label,
  tabs,
  open,
  choose,
}: {
  label: string;
  tabs: readonly Tab[];
  open: string;
  choose: (id: string) => void;
}) {
  const base = useId();
  const shown = tabs.find((tab) => tab.id === open) ?? tabs[0];
  const press = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const at = tabs.findIndex((tab) => tab.id === open);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    if (!step || !next) return;
    event.preventDefault();
    choose(next.id);
    document.getElementById(`${base}-${next.id}`)?.focus();
  };
  return (
    <div className="tabs">
      <div role="tablist" aria-label={label} onKeyDown={press}>
        {tabs.map((tab) => (
          <button
            key={tab.id}
            id={`${base}-${tab.id}`}
            role="tab"
            aria-selected={tab.id === open}
            aria-controls={`${base}-panel`}
            tabIndex={tab.id === open ? 0 : -1}
            onClick={() => choose(tab.id)}
          >
            {tab.title}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${base}-panel`} aria-labelledby={`${base}-${open}`} tabIndex={0}>
        {shown?.body()}
      </div>
    </div>
  );
}
