import { useTexts } from "../text";
import { PLANES, placeText, scaleOf, type Cross, type Letter, type Look, type Tile } from "./look";

const EDGES = ["left", "right", "top", "bottom"] as const;

/** What a letter of a direction is called; the patient's sides in the reader's language. */
function useSide(): (letter: Letter) => string {
  const { t } = useTexts();
  return (letter) => (letter === "R" ? t("child.right") : letter === "L" ? t("child.left") : letter);
}

/** Where the cross stands, how dense it is there, and the window. */
export function Readout({ cross, look, isCoarse }: { cross: Cross; look: Look; isCoarse: boolean }) {
  const { t } = useTexts();
  const side = useSide();
  const [low, high] = look.window;
  return (
    <>
      <small className="number place">{placeText(cross.place, side)}</small>
      <small className="number hu">{t(isCoarse ? "ct.huAbout" : "ct.hu", { hu: Math.round(cross.hu) })}</small>
      <small className="number">
        {t("ct.window", { width: Math.round(high - low), level: Math.round((low + high) / 2) })}
      </small>
    </>
  );
}

/** Letters of the directions and a scale over each plane. */
export function Marks({ tiles }: { tiles: readonly Tile[] }) {
  const side = useSide();
  return tiles.map((tile) => {
    const { plane, left, top, width, height, pixelsPerMm } = tile;
    const mm = scaleOf(tile);
    return (
      <div key={plane} className="tile" data-plane={PLANES[plane]?.name} style={{ left, top, width, height }} aria-hidden>
        {PLANES[plane]?.letters.map((letter, n) => (
          <b key={letter} className={EDGES[n]}>
            {side(letter)}
          </b>
        ))}
        <span className="scale" style={{ width: mm * pixelsPerMm }}>
          {mm} mm
        </span>
      </div>
    );
  });
}
