import { useEffect, useRef } from "react";

import { useTexts } from "../text";

/** Brush, eraser, their width; keep or discard what was drawn. */
export function MaskTools({
  isBrush,
  width,
  set,
  keep,
  discard,
  undo,
}: {
  isBrush: boolean;
  width: number;
  set: (isBrush: boolean, width: number) => void;
  keep: () => void;
  discard: () => void;
  undo: () => void;
}) {
  const { t } = useTexts();
  const first = useRef<HTMLButtonElement>(null);
  // The button that opened the mask is gone meanwhile.
  useEffect(() => {
    if (document.activeElement === document.body) first.current?.focus();
  }, []);
  return (
    <div className="tools mask-tools" role="toolbar" aria-label={t("ct.edit")}>
      <button ref={first} aria-pressed={isBrush} title="p" onClick={() => set(true, width)}>
        {t("ct.brush")}
      </button>
      <button aria-pressed={!isBrush} title="x" onClick={() => set(false, width)}>
        {t("ct.eraser")}
      </button>
      <label>
        {t("ct.pen")}{" "}
        <input type="range" min={1} max={25} value={width} onChange={(event) => set(isBrush, Number(event.target.value))} />
        <output>{width}</output>
      </label>
      <button onClick={undo}>{t("edit.undo")}</button>
      <button className="main" onClick={keep}>
        {t("ct.keep")}
      </button>
      <button onClick={discard}>{t("ct.discard")}</button>
    </div>
  );
}
