import { useEffect, useRef, useState } from "react";

import * as calls from "../api/calls";
import { fetchBytes } from "../api/http";
import { unpacked } from "./mask";
import type { Canvases, CtViewer, Millimetres } from "./viewer";

export interface ViewerState {
  viewer: CtViewer | null;
  error: unknown;
  cross: Millimetres | null;
  planes: React.RefObject<HTMLCanvasElement | null>;
  solid: React.RefObject<HTMLCanvasElement | null>;
}

/** The viewer of a CT; NiiVue is fetched while the volume comes. */
export function useViewer(base: string): ViewerState {
  const planes = useRef<HTMLCanvasElement>(null);
  const solid = useRef<HTMLCanvasElement>(null);
  const [viewer, setViewer] = useState<CtViewer | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [cross, setCross] = useState<Millimetres | null>(null);
  useEffect(() => {
    const canvases = planes.current && solid.current && { planes: planes.current, solid: solid.current };
    if (!canvases) return;
    let here = true;
    let opened: CtViewer | null = null;
    const show = (made: CtViewer) => {
      opened = made;
      if (here) setViewer(made);
      else made.close();
      return here;
    };
    open(base, canvases, setCross, show).catch((reason: unknown) => here && setError(reason));
    return () => {
      here = false;
      opened?.close();
      setViewer(null);
    };
  }, [base]);
  return { viewer, error, cross, planes, solid };
}

/** The planes first, so that the reader can begin; the skeleton after them. */
async function open(
  base: string,
  canvases: Canvases,
  moved: (place: Millimetres) => void,
  show: (viewer: CtViewer) => boolean,
): Promise<void> {
  const code = import("./viewer");
  const { ct } = await calls.views(base);
  if (!ct) throw new Error("the server has no volume of this study");
  const file = (url: string) => fetchBytes(url).then(unpacked);
  const volume = await file(ct.volume);
  const viewer = await (await code).CtViewer.open(canvases.planes, volume, moved);
  if (!show(viewer)) return;
  const bones = ct.bones ? await file(ct.bones) : null;
  await viewer.openSolid(canvases.solid, volume, bones);
}
