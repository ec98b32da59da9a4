import { useMemo } from "react";

import type { Outlines } from "../api/types";
import type { Reading } from "../reading/types";
import { useTexts } from "../text";
import type { Camera } from "./camera";
import type { Lasso } from "./lasso";
import type { Shown } from "./tools";
import type { PlanarImage } from "./use_images";
import { View, type Cursor, type ViewActions } from "./view";
import { geometricMean, smoothed, type Window } from "./window";

/** Anterior and posterior side by side, with one camera, window and cursor. */
export function ViewPair({
  views,
  reading,
  outlines,
  patient,
  camera,
  window,
  cursor,
  shown,
  current,
  actions,
  lasso,
  date,
}: {
  views: readonly PlanarImage[];
  reading: Reading;
  outlines: Outlines | null;
  patient: string;
  camera: Camera;
  window: Window;
  cursor: Cursor | null;
  shown: Shown;
  current: { finding: string | null; segments: readonly string[] };
  actions: ViewActions;
  lasso?: Lasso;
  /** Of a prior, shown above its views. */
  date?: string;
}) {
  const { t } = useTexts();
  const counts = useMemo(() => shownCounts(views, window.mean, window.smooth), [views, window.mean, window.smooth]);
  return (
    <div className="pair">
      {views.map((image, n) => {
        const name = t(image.name === "posterior" ? "view.posterior" : "view.anterior");
        const title = window.mean ? `${t("view.mean")} (${name})` : name;
        return (
          <View
            key={image.name}
            image={image}
            counts={counts[n] ?? image.counts}
            title={date === undefined ? title : `${title}, ${date}`}
            {...(date === undefined ? {} : { hint: `${title}, ${t("view.prior", { date })}` })}
            label={t("view.label", { view: name, patient })}
            camera={camera}
            window={window}
            cursor={cursor}
            findings={reading.findings}
            aside={reading.set_aside}
            segments={shown.segments ? (outlines?.views[image.name]?.sites ?? null) : null}
            showFindings={shown.findings}
            current={current}
            actions={actions}
            {...(lasso ? { lasso } : {})}
          />
        );
      })}
    </div>
  );
}

function shownCounts(views: readonly PlanarImage[], mean: boolean, smooth: boolean): Float32Array[] {
  const plain = views.map((view) => (smooth ? smoothed(view.counts, view.shape.columns) : view.counts));
  const [one, other] = plain;
  const columns = views[0]?.shape.columns ?? 0;
  if (!mean || !one || !other || one.length !== other.length) return plain;
  return [geometricMean(one, other, columns), geometricMean(other, one, columns)];
}
