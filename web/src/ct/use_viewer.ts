import { useEffect, useRef, useState } from "react";

import type { Cross, Look } from "./look";
import type { Dims } from "./nifti";
import { opening, volumeAt } from "./opening";
import type { Canvases, CtViewer, Told } from "./viewer";

/** What is drawn: planes on coarse blocks of voxels; the 3-D view too; everything as fine as it gets. */
export type Stage = "nothing" | "planes" | "solid" | "all";

export interface ViewerState {
  viewer: CtViewer | null;
  stage: Stage;
  error: unknown;
  cross: Cross | null;
  look: Look | null;
  planes: React.RefObject<HTMLCanvasElement | null>;
  solid: React.RefObject<HTMLCanvasElement | null>;
}

/** The viewer of a CT; NiiVue is fetched while the volume comes. */
export function useViewer(base: string): ViewerState {
  const planes = useRef<HTMLCanvasElement>(null);
  const solid = useRef<HTMLCanvasElement>(null);
  const [viewer, setViewer] = useState<CtViewer | null>(null);
  const [stage, setStage] = useState<Stage>("nothing");
  const [error, setError] = useState<unknown>(null);
  const [cross, setCross] = useState<Cross | null>(null);
  const [look, setLook] = useState<Look | null>(null);
  useEffect(() => {
    const canvases = planes.current && solid.current && { planes: planes.current, solid: solid.current };
    if (!canvases) return;
    let here = true;
    let opened: CtViewer | null = null;
    const show = (made: CtViewer, now: Stage) => {
      if (!here) {
        if (opened === null) made.close();
        return false;
      }
      opened = made;
      setViewer(made);
      setStage(now);
      return true;
    };
    const told = {
      moved: setCross,
      looked: (now: Look) => setLook((was) => (JSON.stringify(was) === JSON.stringify(now) ? was : now)),
    };
    open(base, canvases, told, show).catch((reason: unknown) => here && setError(reason));
    return () => {
      here = false;
      opened?.close();
      setViewer(null);
      setStage("nothing");
    };
  }, [base]);
  return { viewer, stage, error, cross, look, planes, solid };
}

/** Planes on coarse blocks of voxels first, so that the reader can begin; then the skeleton; then the planes as fine as
 * the computer draws them in seconds.
 */
async function open(
  base: string,
  canvases: Canvases,
  told: Told,
  show: (viewer: CtViewer, stage: Stage) => boolean,
): Promise<void> {
  const { code, ct, first } = opening(base);
  const dims = ct.then(({ shape }) => [...shape].reverse() as Dims);
  const viewer = await (await code).CtViewer.open(canvases.planes, dims, first, told);
  if (!show(viewer, "planes")) return;
  const coarse = await first;
  const { blocks, skeleton, volume } = await ct;
  await painted();
  const bones = skeleton ? { file: await volumeAt(skeleton), factor: coarse.factor } : coarse;
  await viewer.openSolid(canvases.solid, bones, skeleton !== null);
  const finest = viewer.isSoftware ? blocks.at(-1) : { url: volume, factor: 1 };
  const isFinal = (finest?.factor ?? 1) === coarse.factor;
  if (!show(viewer, isFinal ? "all" : "solid") || isFinal || !finest) return;
  await painted();
  await viewer.refine({ file: await volumeAt(finest.url), factor: finest.factor });
  show(viewer, "all");
}

/** After the browser has shown what was drawn, in the frame after next at the latest: NiiVue holds up the page next. */
const painted = () =>
  new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve))));
