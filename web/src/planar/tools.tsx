import { useTexts } from "../text";
import type { Key } from "../text/en";
import type { Lasso } from "./lasso";
import { HIGHEST, LOWEST, type Window } from "./window";

export interface Shown {
  segments: boolean;
  findings: boolean;
}

/** Upper level, square root, geometric mean, outlines. */
export function Tools({
  window,
  shown,
  setWindow,
  setShown,
  reset,
  lasso,
}: {
  window: Window;
  shown: Shown;
  setWindow: (window: Window) => void;
  setShown: (shown: Shown) => void;
  reset: () => void;
  /** Null where nothing may be drawn. */
  lasso: Lasso | null;
}) {
  const { t } = useTexts();
  return (
    <div className="tools" role="toolbar" aria-label={t("view.tools")}>
      <label title="- +">
        {t("view.upper")}{" "}
        <input
          type="range"
          min={LOWEST}
          max={HIGHEST}
          value={window.upper}
          aria-valuetext={t("view.of", { percent: window.upper })}
          onChange={(event) => setWindow({ ...window, upper: Number(event.target.value) })}
        />
        <output>{window.upper} %</output>
      </label>
      <Toggle name="view.root" hint="q" isOn={window.root} set={(root) => setWindow({ ...window, root })} />
      <Toggle name="view.mean" hint="g" isOn={window.mean} set={(mean) => setWindow({ ...window, mean })} />
      <Toggle name="view.smooth" hint="b" isOn={window.smooth} set={(smooth) => setWindow({ ...window, smooth })} />
      <Toggle name="view.findings" hint="o" isOn={shown.findings} set={(findings) => setShown({ ...shown, findings })} />
      <Toggle name="view.segments" hint="O" isOn={shown.segments} set={(segments) => setShown({ ...shown, segments })} />
      {lasso && <Toggle name="view.lasso" hint="d" isOn={lasso.isOn} set={lasso.toggle} />}
      <button onClick={reset} title={`${t("view.reset")} (w)`} aria-label={t("view.reset")}>
        ⤢
      </button>
    </div>
  );
}

function Toggle({ name, hint, isOn, set }: { name: Key; hint: string; isOn: boolean; set: (isOn: boolean) => void }) {
  const { t } = useTexts();
  return (
    <button aria-pressed={isOn} title={hint} onClick={() => set(!isOn)}>
      {t(name)}
    </button>
  );
}
