import { useId, useState } from "react";

import { changeOf, intervalText, levelColour, levelOf, levelText, isDark, signed, TOP, type Score } from "../reading/levels";
import type { Reading } from "../reading/types";
import { useTexts } from "../text";
import type { Key } from "../text/en";
import { Heads } from "../ui/heads";

const HEADS: readonly Key[] = ["level.segment", "level.level", "level.interval"];

interface Props {
  reading: Reading;
  prior: Reading | null;
  score: Score;
  canEdit: boolean;
  choose: (site: string) => void;
  set: (site: string, level: number | null) => void;
}

/** One row per place; each level is one click away. */
export function LevelTable({ sites, current, ...shared }: Props & { sites: readonly string[]; current: string | null }) {
  const { t } = useTexts();
  return (
    <table className="levels" aria-label={t(`score.${shared.score}`)}>
      <Heads of={shared.prior ? [...HEADS, "level.prior", "level.change"] : HEADS} />
      <tbody>
        {sites.map((site) => (
          <Row key={site} {...shared} site={site} isCurrent={site === current} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ reading, prior, score, canEdit, choose, set, site, isCurrent }: Props & { site: string; isCurrent: boolean }) {
  const { t, site: named } = useTexts();
  const [isOpen, setOpen] = useState(false);
  const told = useId();
  const level = levelOf(reading, score, site);
  const before = prior ? levelOf(prior, score, site) : undefined;
  const change = changeOf(level, before);
  const name = named(site);
  const sure = level.probability === null ? "" : t("level.probability", { percent: Math.round(level.probability * 100) });
  const counted = level.counted === null ? [] : [t("level.counted", { level: level.counted })];
  const notes = [...new Set([...counted, ...level.notes])];
  const range = level.interval ? t("level.range", { range: intervalText(level.interval) }) : "";
  const flagged = t("level.flag", { notes: notes.join("; ") });
  const isTold = isOpen && notes.length > 0;
  return (
    <>
      <tr className={isCurrent ? "current" : undefined} onPointerEnter={() => choose(site)} data-site={site}>
        <th scope="row">
          {name}
          {notes.length > 0 && (
            <button
              className="quiet flag"
              title={flagged}
              aria-label={flagged}
              aria-expanded={isOpen}
              aria-controls={told}
              onFocus={() => choose(site)}
              onClick={() => setOpen(!isOpen)}
            >
              ⚑
            </button>
          )}
        </th>
        <td>
          <div className="steps" role="group" aria-label={name}>
            {Array.from({ length: TOP[score] + 1 }, (_, value) => (
              <button
                key={value}
                disabled={!canEdit}
                tabIndex={-1}
                aria-pressed={level.value === value}
                aria-label={t("level.set", { site: name, level: value })}
                style={
                  level.value === value
                    ? {
                        background: levelColour(value, TOP[score]),
                        color: isDark(value, TOP[score]) ? "#fff" : "#1b2733",
                      }
                    : undefined
                }
                onClick={() => set(site, value)}
              >
                {value}
              </button>
            ))}
            <button
              disabled={!canEdit}
              tabIndex={-1}
              aria-pressed={level.value === null}
              aria-label={t("level.not", { site: name })}
              onClick={() => set(site, null)}
            >
              {level.value === null && level.status === "not_acquired" ? levelText(level) : "?"}
            </button>
          </div>
        </td>
        <td className="number" title={[range, sure].filter(Boolean).join(", ")}>
          {intervalText(level.interval)}
          {level.probability !== null && !before && <small> {Math.round(level.probability * 100)} %</small>}
        </td>
        {before && <td className="number">{levelText(before)}</td>}
        {before && <td className={`number ${change ? (change > 0 ? "worse" : "better") : ""}`}>{change === null ? "" : signed(change)}</td>}
      </tr>
      {isTold && (
        <tr id={told} className="told">
          <td colSpan={before ? 5 : 3}>{[flagged, range, sure].filter(Boolean).join(". ")}</td>
        </tr>
      )}
    </>
  );
}
