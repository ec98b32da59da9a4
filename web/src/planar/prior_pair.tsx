import { useMemo } from "react";

import * as calls from "../api/calls";
import type { Outlines } from "../api/types";
import type { Reading } from "../reading/types";
import { useFetched } from "../ui/use_fetched";
import { fitted, type Camera } from "./camera";
import type { Shown } from "./tools";
import { useImages, useOutlines, type PlanarImage } from "./use_images";
import type { Cursor, ViewActions } from "./view";
import { ViewPair } from "./view_pair";
import { startUpper, type Window } from "./window";

export interface Prior {
  reading: Reading;
  views: readonly PlanarImage[];
  outlines: Outlines | null;
}

/** A prior study; null where none is chosen or it is not there yet. */
export function usePrior(id: string | null): Prior | null {
  const base = id === null ? null : calls.studyBase(id);
  const { views } = useImages(base);
  const outlines = useOutlines(base);
  const { value } = useFetched(() => calls.reading(base ?? ""), base);
  return useMemo(
    () => (base !== null && value ? { reading: value, views, outlines } : null),
    [base, value, views, outlines],
  );
}

/** The prior's views, read only: camera, cursor and window are those of the current study. */
export function PriorPair({
  shared,
  prior,
  patient,
  actions,
  date,
}: {
  shared: { camera: Camera; window: Window; cursor: Cursor | null; shown: Shown };
  prior: Prior;
  patient: string;
  actions: ViewActions;
  date: string;
}) {
  const still: ViewActions = { ...actions, mark: () => undefined, hover: () => undefined };
  const camera = usePriorCamera(shared.camera, prior.views);
  const upper = useMemo(() => {
    const first = prior.views[0];
    return first ? startUpper(first.counts, first.maximum) : 100;
  }, [prior.views]);
  return (
    <ViewPair
      {...shared}
      camera={camera}
      window={{ ...shared.window, upper }}
      views={prior.views}
      reading={prior.reading}
      outlines={prior.outlines}
      patient={patient}
      current={{ finding: null, segment: null }}
      actions={still}
      date={date}
    />
  );
}

/** The current camera, moved by the difference between where the two children lie. */
function usePriorCamera(camera: Camera, views: readonly PlanarImage[]): Camera {
  const own = useMemo(() => {
    const first = views[0];
    return first ? fitted(first.counts, first.maximum, first.shape) : null;
  }, [views]);
  return own === null ? camera : { ...own, zoom: camera.zoom };
}
