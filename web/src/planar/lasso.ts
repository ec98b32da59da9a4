import { useState } from "react";

import type { ViewName } from "../api/types";

export type Corner = [number, number];

/** An outline while it is drawn on a view, in its pixels. */
export interface Trace {
  view: ViewName;
  points: Corner[];
}

/** Drawing around diffuse uptake: a drag draws, clicks or the space bar set corners, Enter closes. */
export interface Lasso {
  isOn: boolean;
  trace: Trace | null;
  toggle: () => void;
  /** A corner, or a step of the drag; on another view the outline begins anew. */
  add: (view: ViewName, corner: Corner) => void;
  back: () => void;
  close: () => void;
}

const FEWEST = 3;
/** Steps of a drag that are shorter say nothing, in pixels. */
const SHORTEST = 0.3;

export function useLasso(outlined: (trace: Trace) => void): Lasso {
  const [isOn, setOn] = useState(false);
  const [trace, setTrace] = useState<Trace | null>(null);
  return {
    isOn,
    trace,
    toggle: () => {
      setOn(!isOn);
      setTrace(null);
    },
    add: (view, corner) => setTrace((now) => extended(now, view, corner)),
    back: () => setTrace((now) => now && { ...now, points: now.points.slice(0, -1) }),
    close: () => {
      if (trace && trace.points.length >= FEWEST) outlined(trace);
      setTrace(null);
    },
  };
}

/** An outline with one corner more, unless it lies where the last one does. */
export function extended(trace: Trace | null, view: ViewName, corner: Corner): Trace {
  if (trace?.view !== view) return { view, points: [corner] };
  const last = trace.points.at(-1);
  if (last && Math.hypot(last[0] - corner[0], last[1] - corner[1]) < SHORTEST) return trace;
  return { view, points: [...trace.points, corner] };
}
