import { Fragment } from "react";

import { levelColour, levelOf, levelText, isDark, TOP } from "../reading/levels";
import { SIOPEN } from "../reading/sites";
import type { Reading } from "../reading/types";
import { useTexts } from "../text";

type Box = readonly [left: number, top: number, width: number, height: number];

// The same boxes as the report's schematic (`osteoscope.report.child`): 100 wide, 200 high, the patient's right at the left.
const MIDDLE: Record<string, readonly Box[]> = {
  skull: [[37, 2, 26, 30]],
  thoracic_cage: [
    [27.5, 39, 17, 36],
    [55.5, 39, 17, 36],
  ],
  pelvis: [
    [29, 84, 15.5, 17],
    [55.5, 84, 15.5, 17],
  ],
  spine: [[46, 33.5, 8, 70]],
};
const RIGHT: Record<string, Box> = {
  proximal_upper_limb: [15.5, 40, 9.5, 34],
  distal_upper_limb: [12.5, 75.5, 9, 36],
  proximal_lower_limb: [32, 106, 13, 42],
  distal_lower_limb: [33, 150, 11, 46],
};

function boxesOf(segment: string): readonly Box[] {
  const middle = MIDDLE[segment];
  if (middle) return middle;
  const side = segment.endsWith("_right") ? "right" : "left";
  const box = RIGHT[segment.slice(0, -side.length - 1)];
  if (!box) return [];
  const [left, top, width, height] = box;
  return [[side === "right" ? left : 100 - left - width, top, width, height]];
}

/** The schematic child: pointing at a segment makes it current, a click raises its level, a right click lowers it. */
export function Child({
  reading,
  current,
  choose,
  raise,
  small = false,
}: {
  reading: Reading;
  current: readonly string[];
  choose?: (segment: string) => void;
  raise?: (segment: string, by: 1 | -1) => void;
  small?: boolean;
}) {
  const { t, site } = useTexts();
  return (
    <svg className={small ? "child small" : "child"} viewBox="4 -6 92 208" role="group" aria-label={t("child.title")}>
      <pattern id="hatch" width="3" height="3" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="3" height="3" fill="#fff" />
        <path d="M0 0v3" stroke="#9aa5b1" strokeWidth="0.8" />
      </pattern>
      {SIOPEN.map((segment) => {
        const level = levelOf(reading, "siopen", segment);
        const text = levelText(level);
        const boxes = boxesOf(segment);
        return (
          <Fragment key={segment}>
            <g
              role={raise ? "button" : "img"}
              tabIndex={raise ? 0 : undefined}
              aria-label={t("child.segment", { site: site(segment), level: text })}
              data-segment={segment}
              className={current.includes(segment) ? "current" : undefined}
              onPointerEnter={() => choose?.(segment)}
              onFocus={() => choose?.(segment)}
              onClick={() => raise?.(segment, 1)}
              onContextMenu={(event) => {
                event.preventDefault();
                raise?.(segment, -1);
              }}
              onKeyDown={(event) => {
                if (event.key !== "Enter" && event.key !== " ") return;
                event.preventDefault();
                raise?.(segment, event.shiftKey ? -1 : 1);
              }}
            >
              {boxes.map(([x, y, w, h], n) => (
                <rect
                  key={n}
                  x={x}
                  y={y}
                  width={w}
                  height={h}
                  rx={Math.min(w, h) / 2.4}
                  fill={level.value === null ? "url(#hatch)" : levelColour(level.value, TOP.siopen)}
                />
              ))}
            </g>
            <g aria-hidden>
              {boxes.map(([x, y, w, h], n) => (
                <text
                  key={n}
                  x={x + w / 2}
                  y={y + h / 2}
                  fill={isDark(level.value, TOP.siopen) ? "#fff" : "#1b2733"}
                  fontSize={level.value === null ? 5.5 : 8}
                >
                  {text}
                </text>
              ))}
            </g>
          </Fragment>
        );
      })}
      <text x="9" y="3" className="letter">
        {t("child.right")}
      </text>
      <text x="91" y="3" className="letter">
        {t("child.left")}
      </text>
    </svg>
  );
}
