import { numberText } from "../reading/levels";
import { UNITS } from "../reading/sites";
import type { Finding, Reading } from "../reading/types";
import { useTexts } from "../text";
import { Select } from "../ui/select";

/** The foci: where each lies, how sure; moved by its list of sites, removed by its button. */
export function Findings({
  reading,
  current,
  canEdit,
  choose,
  remove,
  move,
}: {
  reading: Reading;
  current: string | null;
  canEdit: boolean;
  choose: (finding: string) => void;
  remove: (finding: string) => void;
  move: (finding: string, site: string) => void;
}) {
  const { t, site } = useTexts();
  if (reading.findings.length === 0) return <p className="empty">{t("finding.none")}</p>;
  return (
    <ul className="findings">
      {reading.findings.map((finding) => (
        <li
          key={finding.id}
          className={finding.id === current ? "current" : undefined}
          onPointerEnter={() => choose(finding.id)}
        >
          <span className="id">{finding.id}</span>
          <Select
            id={`site-of-${finding.id}`}
            aria-label={t("finding.site", { id: finding.id })}
            value={finding.site}
            disabled={!canEdit}
            onFocus={() => choose(finding.id)}
            choose={(to) => move(finding.id, to)}
          >
            {UNITS.map((unit) => (
              <option key={unit} value={unit}>
                {site(unit)}
              </option>
            ))}
          </Select>
          <span>{t(`finding.${finding.kind}`)}</span>
          <span className="number" title={ratioOf(finding, t)}>
            {t("finding.sure", { percent: Math.round(finding.confidence * 100) })}
          </span>
          <button
            className="quiet"
            disabled={!canEdit}
            aria-label={t("finding.remove", { id: finding.id })}
            onClick={() => remove(finding.id)}
          >
            ✕
          </button>
        </li>
      ))}
      {reading.set_aside.length > 0 && (
        <li className="asides">
          <strong>{t("finding.aside")}</strong>{" "}
          {[...new Set(reading.set_aside.map((one) => `${one.what} (${one.reason})`))].join("; ")}
        </li>
      )}
    </ul>
  );
}

function ratioOf(finding: Finding, t: ReturnType<typeof useTexts>["t"]): string {
  const ratio = finding.measures.find((measure) => measure.name === "uptake_ratio");
  return ratio ? t("finding.ratio", { ratio: numberText(ratio.value) }) : "";
}
