/** NiiVue as the page wants it: its keys are the page's, and two fingers zoom and move the planes. */

import { Niivue } from "@niivue/niivue";

import { spanOf, type Point, type Span } from "../planar/pinch";
import type { Millimetres } from "./viewer";

const MOST_ZOOM = 16;
// A second finger that follows so soon belongs to the first; a later one is a palm on the screen.
const TOGETHER_MS = 300;
const NOWHERE = [NaN, NaN, NaN];

export class KeylessNiivue extends Niivue {
  override keyDownListener(): void {}
  override keyUpListener(): void {}
}

/** Where two fingers began, and what lay between them. */
interface Pinch {
  span: Span;
  tile: number;
  place: Millimetres;
  zoom: number;
}

export class Planes extends KeylessNiivue {
  private pinch: Pinch | null = null;
  private first = { at: 0, cross: [0, 0, 0] as Millimetres, drawing: null as Uint8Array | null };

  /** By a double click or a long touch, NiiVue would set a window that the page knows nothing of. */
  override resetBriCon(): void {}

  override touchStartListener(event: TouchEvent): void {
    if (event.touches.length === 1) {
      const drawing = this.opts.drawingEnabled ? (this.drawBitmap?.slice() ?? null) : null;
      this.first = { at: event.timeStamp, cross: [...this.scene.crosshairPos] as Millimetres, drawing };
    } else {
      if (event.timeStamp - this.first.at < TOGETHER_MS) this.takeBackFirstFinger();
      this.pinch = this.pinchOf(event);
    }
    super.touchStartListener(event);
  }

  override handlePinchZoom(event: TouchEvent): void {
    const start = this.pinch;
    const now = this.pinchOf(event);
    if (!start || now?.tile !== start.tile) return;
    const zoom = Math.min(MOST_ZOOM, Math.max(1, (start.zoom * now.span.distance) / start.span.distance));
    const { pan2Dxyzmm: pan } = this.scene;
    const moved = (n: 0 | 1 | 2) => (zoom === 1 ? 0 : pan[n] + now.zoom * now.place[n] - zoom * start.place[n]);
    this.scene.pan2Dxyzmm = [moved(0), moved(1), moved(2), zoom];
    this.drawScene();
  }

  private pinchOf({ touches }: TouchEvent): Pinch | null {
    const { left = 0, top = 0 } = this.canvas?.getBoundingClientRect() ?? {};
    const { dpr = 1 } = this.uiData;
    const fingers: Point[] = [...touches].map(({ clientX, clientY }) => ({
      x: (clientX - left) * dpr,
      y: (clientY - top) * dpr,
    }));
    const span = spanOf(fingers);
    if (!span) return null;
    const { x, y } = span.middle;
    const share = this.canvasPos2frac([x, y]);
    if (share[0] < 0) return null;
    const [right = 0, front = 0, up = 0] = this.frac2mm(share);
    return { span, tile: this.tileIndex(x, y), place: [right, front, up], zoom: this.scene.pan2Dxyzmm[3] };
  }

  private takeBackFirstFinger(): void {
    const { cross, drawing } = this.first;
    this.scene.crosshairPos = cross;
    this.createOnLocationChange();
    if (!drawing) return;
    this.drawBitmap?.set(drawing);
    this.drawPenLocation = [...NOWHERE];
    this.refreshDrawing(true);
  }
}
