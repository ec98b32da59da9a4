import { useCallback, useEffect, useState } from "react";

import { fitted, type Camera } from "./camera";
import type { Shown } from "./tools";
import type { PlanarImage } from "./use_images";
import type { Cursor } from "./view";
import { startUpper, type Window } from "./window";

const NO_CAMERA: Camera = { x: 0, y: 0, zoom: 1, fit: { width: 500, height: 1000 } };

/** How the images are looked at: camera, window, cursor, outlines. */
export function useLook(views: readonly PlanarImage[]) {
  const [window, setWindow] = useState<Window>({ upper: 100, root: false, mean: false, smooth: true });
  const [camera, setCamera] = useState<Camera>(NO_CAMERA);
  const [cursor, setCursor] = useState<Cursor | null>(null);
  const [shown, setShown] = useState<Shown>({ segments: true, findings: true });
  const reset = useCallback(() => {
    const first = views[0];
    if (first) setCamera(fitted(first.counts, first.maximum, first.shape));
  }, [views]);
  useEffect(() => {
    const first = views[0];
    if (!first) return;
    reset();
    setWindow((now) => ({ ...now, upper: startUpper(first.counts, first.maximum) }));
  }, [views, reset]);
  return { window, setWindow, camera, setCamera, cursor, setCursor, shown, setShown, reset };
}
