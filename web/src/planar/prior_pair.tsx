import { useMemo } from "react";

import * as calls from "../api/calls";
import type { Outlines } from "../api/types";
import type { Reading } from "../reading/types";
import { useFetched } from "../ui/use_fetched";
import type { Camera } from "./camera";
import { cameraAt, cursorAt, standOf, upperAt } from "./other_date";
import type { Shown } from "./tools";
import { useImages, useOutlines, type PlanarImage } from "./use_images";
import type { Cursor, ViewActions } from "./view";
import { ViewPair } from "./view_pair";
import type { Window } from "./window";

export interface Prior {
  reading: Reading;
  views: readonly PlanarImage[];
  outlines: Outlines | null;
}

/** A prior study, null where none is chosen or it is not there yet; and why it cannot be shown. */
export function usePrior(id: string | null): { prior: Prior | null; fault: unknown } {
  const base = id === null ? null : calls.studyBase(id);
  const { views, error: blank } = useImages(base);
  const outlines = useOutlines(base);
  const { value, error } = useFetched(() => calls.reading(base ?? ""), base);
  const prior = useMemo(
    () => (base !== null && value ? { reading: value, views, outlines } : null),
    [base, value, views, outlines],
  );
  return { prior, fault: base === null ? null : (error ?? blank) };
}

/** The prior's views, read only: camera, cursor and window follow those of the current study, and lead them. */
export function PriorPair({
  shared,
  views,
  prior,
  patient,
  actions,
  date,
}: {
  shared: { camera: Camera; window: Window; cursor: Cursor | null; shown: Shown };
  /** Of the current study. */
  views: readonly PlanarImage[];
  prior: Prior;
  patient: string;
  actions: ViewActions;
  date: string;
}) {
  const now = useMemo(() => standOf(views), [views]);
  const then = useMemo(() => standOf(prior.views), [prior.views]);
  if (!now || !then) return null;
  const { camera, window, cursor } = shared;
  const still: ViewActions = {
    setCamera: (moved) => actions.setCamera({ ...cameraAt(then, now, moved), fit: camera.fit }),
    setUpper: (upper) => actions.setUpper(upperAt(then, now, upper)),
    setCursor: (at) => actions.setCursor(at && cursorAt(then, now, at)),
    mark: () => undefined,
    hover: () => undefined,
  };
  return (
    <ViewPair
      shown={shared.shown}
      camera={cameraAt(now, then, camera)}
      window={{ ...window, upper: upperAt(now, then, window.upper) }}
      cursor={cursor && cursorAt(now, then, cursor)}
      views={prior.views}
      reading={prior.reading}
      outlines={prior.outlines}
      patient={patient}
      current={{ finding: null, segments: [] }}
      actions={still}
      date={date}
    />
  );
}
